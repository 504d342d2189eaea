"""Headers of every page, the deployment check, and logs without what people wrote."""

import logging
import re
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.test import Client

from config.launch.embedded_servers import ROOT
from config.runtime.log_lines import PromptFreeFormatter
from generation.models import GenerationRequest
from tests.factories import make_model, make_request


def _policy(client: Client, path: str) -> str:
    return str(client.get(path).headers["Content-Security-Policy"])


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/", "/accounts/login/", "/verify/", "/api/docs/", "/nowhere/"])
def test_pages_run_no_inline_script_or_style(client: Client, path: str) -> None:
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "default-src 'none'" in policy
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    html = answer.content.decode()
    assert not re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*type=\"application/json\")[^>]*>", html)
    assert not re.findall(r"<style|\sstyle=|\son[a-z]+=", html)


def test_the_admin_alone_may_set_styles_and_nothing_may_evaluate(
    client: Client, olga: User
) -> None:
    client.force_login(olga)
    admin = _policy(client, "/admin/")
    assert "style-src 'self' 'unsafe-inline'" in admin
    assert admin.count("unsafe") == 1
    assert "unsafe" not in _policy(client, "/studio/")


@pytest.mark.django_db
def test_metrics_are_nobody_elses_business(client: Client, settings: object) -> None:
    assert client.get("/metrics").status_code == 404


def test_metrics_open_to_staff(client: Client, olga: User) -> None:
    client.force_login(olga)
    assert b"proofsheet_render_workers" in client.get("/metrics").content


@pytest.mark.django_db
@pytest.mark.parametrize(("word", "status"), [("a-long-token", 200), ("another", 404), ("", 404)])
def test_metrics_open_to_their_token(
    client: Client, monkeypatch: pytest.MonkeyPatch, word: str, status: int
) -> None:
    monkeypatch.setattr("django.conf.settings.METRICS_TOKEN", "a-long-token")
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {word}"})
    assert answer.status_code == status


def test_a_log_line_leaves_out_the_refused_row() -> None:
    record = logging.LogRecord(
        "django.request",
        logging.ERROR,
        "",
        0,
        "refused\nDETAIL:  Failing row (a secret).",
        (),
        None,
    )
    assert PromptFreeFormatter("%(levelname)s %(message)s").format(record) == "ERROR refused"


@pytest.mark.django_db
def test_a_log_line_leaves_out_a_refused_prompt_of_several_lines(alice: User) -> None:
    """As PostgreSQL itself quotes it."""
    made = make_request(alice, make_model(), prompt="first line\n\nsecond line of a secret")
    try:
        with transaction.atomic():
            GenerationRequest.objects.filter(id=made.id).update(status="no such status")
    except IntegrityError:
        told = sys.exc_info()
    record = logging.LogRecord("django.request", logging.ERROR, "", 0, "refused", (), told)
    line = PromptFreeFormatter("%(levelname)s %(message)s").format(record)
    assert "IntegrityError" in line
    assert "secret" not in line
    assert "first line" not in line


def test_the_web_process_never_loads_a_model_library() -> None:
    """It resolves every address and so imports every view."""
    code = (
        "import config.asgi, sys; from django.urls import get_resolver; "
        "get_resolver().reverse_dict; "
        "print(sorted({'torch', 'diffusers', 'peft', 'transformers', 'onnxruntime'}"
        " & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
