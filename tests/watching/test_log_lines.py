"""Lines as JSON: they carry the id that the answer carries, and nothing that people wrote."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from prometheus_client import REGISTRY

from config.core.watching import request_ids
from config.launch.embedded_servers import ROOT
from config.runtime.log_lines import JsonFormatter, LineCounter
from generation.models import GenerationRequest
from tests.factories import make_model, make_request


def line_of(record: logging.LogRecord) -> dict[str, object]:
    written = JsonFormatter().format(record)
    assert "\n" not in written
    said: dict[str, object] = json.loads(written)
    return said


def record(message: str, *args: object, told: object = None) -> logging.LogRecord:
    return logging.LogRecord("a.logger", logging.WARNING, "", 0, message, args, told)  # type: ignore[arg-type] # what sys.exc_info gives


def test_line_carries_the_id_of_the_request_that_is_answered() -> None:
    with request_ids.answering("edge-0123456789"):
        said = line_of(record("%d things", 3))
    assert (said["message"], said["request_id"]) == ("3 things", "edge-0123456789")
    assert (said["level"], said["logger"]) == ("warning", "a.logger")
    assert str(said["time"]).endswith("+00:00")
    assert "request_id" not in line_of(record("later"))


@pytest.mark.django_db
def test_refused_row_is_left_out_of_its_traceback(alice: User) -> None:
    made = make_request(alice, make_model(), prompt="first line\n\nsecond line of a secret")
    try:
        with transaction.atomic():
            GenerationRequest.objects.filter(id=made.id).update(status="no such status")
    except IntegrityError:
        said = line_of(record("refused", told=sys.exc_info()))
    assert "IntegrityError" in str(said["details"])
    assert "secret" not in str(said)
    assert "first line" not in str(said)


def test_lines_are_counted_by_level() -> None:
    labels = {"level": "warning"}
    before = REGISTRY.get_sample_value("proofsheet_log_lines_total", labels) or 0
    LineCounter().emit(record("one"))
    assert REGISTRY.get_sample_value("proofsheet_log_lines_total", labels) == before + 1


@pytest.mark.parametrize(("setting", "is_json"), [("json", True), ("line", False)])
def test_setting_chooses_how_a_process_writes(setting: str, is_json: bool) -> None:
    code = "import django, logging; django.setup(); logging.getLogger('x').warning('told')"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT, capture_output=True, text=True, check=True,
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_FORMAT": setting},
    )  # fmt: skip
    [line] = [each for each in done.stderr.splitlines() if "told" in each]
    assert line.startswith("{") == is_json
