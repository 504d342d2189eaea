"""Mails of a house on one host go into a folder that operators read, and never into a log."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.contrib.auth.models import User
from django.core.mail import send_mail
from django.test import Client
from pytest_django import Settings

from config.accounts.roles import demo_accounts
from config.accounts.roles.role_permissions import give_permissions
from config.launch.embedded_servers import ROOT
from config.mail import developer_mailbox


@pytest.fixture
def folder(tmp_path: Path, settings: Settings) -> Path:
    settings.EMAIL_BACKEND = developer_mailbox.BACKEND
    settings.PROOFSHEET_MAILS_DIR = tmp_path / "mails"
    return tmp_path / "mails"


def _send(subject: str = "Your picture", body: str = "See http://localhost/x/ for more.") -> None:
    send_mail(subject, body, None, ["alice@example.org"])


def test_a_mail_becomes_a_private_file(folder: Path) -> None:
    _send()
    [made] = folder.iterdir()
    assert stat.S_IMODE(made.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_an_operator_reads_the_newest_first(client: Client, olga: User, folder: Path) -> None:
    _send("Äußerst <b>first</b>")
    _send("second")
    client.force_login(olga)
    said = client.get("/mails/").content.decode()
    assert said.index("second") < said.index("Äußerst &lt;b&gt;first")
    assert "alice@example.org" in said


def test_an_operator_becomes_nobody_by_their_mails(
    client: Client, olga: User, alice: User, folder: Path
) -> None:
    """She sends somebody a link, from the admin or from the page of lost passwords."""
    client.force_login(olga)
    chosen = {"action": "mail_link", "_selected_action": [alice.pk]}
    client.post("/admin/auth/user/", chosen)
    Client().post("/accounts/password/reset/", {"email": alice.email})
    _send()
    said = client.get("/mails/").content.decode()
    assert said.count(alice.email) >= 3
    assert said.count(developer_mailbox.BLANK) >= 3
    assert "/password/reset/key/" not in said
    assert "://localhost/x/" not in said


def test_an_operator_follows_the_links_of_her_own(client: Client, olga: User, folder: Path) -> None:
    client.force_login(olga)
    client.post("/accounts/password/reset/", {"email": olga.email})
    assert re.search(r'href="[^"]+/password/reset/key/', client.get("/mails/").content.decode())


def test_an_address_that_others_have_too_is_not_hers(
    client: Client, olga: User, alice: User, folder: Path
) -> None:
    EmailAddress.objects.create(user=olga, email=alice.email, verified=True)
    User.objects.filter(pk=olga.pk).update(email=alice.email)
    client.force_login(olga)
    Client().post("/accounts/password/reset/", {"email": alice.email})
    assert "/password/reset/key/" not in client.get("/mails/").content.decode()


@pytest.mark.parametrize("who", ["alice", "bob", "dora"])
def test_nobody_else_reads_them(
    client: Client, folder: Path, who: str, request: pytest.FixtureRequest
) -> None:
    client.force_login(request.getfixturevalue(who))
    assert client.get("/mails/").status_code == 404


@pytest.mark.parametrize(
    "otherwise",
    [{"IS_LOCAL": False}, {"EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend"}],
)
def test_there_is_no_such_page_where_mails_are_sent(
    client: Client, olga: User, folder: Path, settings: Any, otherwise: dict[str, object]
) -> None:
    for name, value in otherwise.items():
        setattr(settings, name, value)
    client.force_login(olga)
    assert client.get("/mails/").status_code == 404


@pytest.mark.parametrize(("local", "wanted"), [("1", "ToFolder"), ("0", "smtp.EmailBackend")])
def test_by_default_no_mail_is_printed_into_a_log(local: str, wanted: str, tmp_path: Path) -> None:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    told = subprocess.run(
        [sys.executable, "-c", "from config import settings; print(settings.EMAIL_BACKEND)"],
        cwd=ROOT,
        env=kept | {"PROOFSHEET_LOCAL": local, "PROOFSHEET_STATE_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip().endswith(wanted)


@pytest.mark.django_db
def test_a_start_undoes_no_change_of_roles(tmp_path: Path) -> None:
    give_permissions()
    first = demo_accounts.demo_accounts(tmp_path)
    bob, olga = User.objects.get(username="bob"), User.objects.get(username="olga")
    assert bob.has_perm("moderation.review_cases")
    assert olga.is_staff
    bob.groups.clear()
    olga.groups.set(bob.groups.all())
    User.objects.filter(pk=olga.pk).update(is_staff=False)
    assert demo_accounts.demo_accounts(tmp_path) == first
    assert not User.objects.get(pk=bob.pk).has_perm("moderation.review_cases")
    assert not User.objects.get(pk=olga.pk).is_staff
    assert not User.objects.get(pk=olga.pk).groups.exists()
    assert client_of(first, "carol").get("/review/").status_code == 200


def client_of(passwords: dict[str, str], name: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": name, "password": passwords[name]})
    return client
