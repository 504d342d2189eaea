"""Where single sign-on is enforced, passwords open emergency accounts alone, and that is told."""

from __future__ import annotations

import time
from typing import Any

import pytest
from allauth.mfa.totp.internal import auth
from allauth.mfa.totp.internal.auth import TOTP
from celery import current_app
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

from provenance.models import LogEntry
from tests.single_sign_on.conftest import Provider, who
from tests.single_sign_on.test_oidc import code_in

pytestmark = pytest.mark.django_db(transaction=True)
PASSWORD = "a long test password"
EMERGENCY = ["carol", "erin"]


@pytest.fixture(autouse=True)
def _fresh_counters() -> None:
    cache.clear()


@pytest.fixture
def enforced(provider: Provider) -> Provider:
    provider.configure(top={"enforced": True, "emergency_accounts": EMERGENCY})
    return provider


def typed(name: str, password: str = PASSWORD) -> tuple[Client, Any]:
    client = Client()
    return client, client.post("/accounts/login/", {"login": name, "password": password})


def with_factor(account: User) -> str:
    secret: str = auth.generate_totp_secret()
    TOTP.activate(account, secret)
    return secret


def test_a_right_password_does_not_open_an_ordinary_account(enforced: Provider, bob: User) -> None:
    client, done = typed("bob")
    assert (done.status_code, code_in(done)) == (403, "sign_on_required")
    assert who(client) == ""
    wrong = typed("bob", "not the password")[1]
    nobody = typed("nobody-has-this-name", "not the password")[1]
    assert (wrong.status_code, nobody.status_code) == (200, 200)  # the form again, telling nothing


def test_an_emergency_account_opens_with_its_second_factor_and_everybody_is_told(
    enforced: Provider,
    carol: User,
    olga: User,
    alice: User,
    mailoutbox: list[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(current_app.conf, "task_always_eager", True)
    secret = with_factor(carol)
    client, done = typed("carol")
    assert done["Location"] == "/accounts/2fa/authenticate/"
    code = auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30))
    client.post(done["Location"], {"code": code})
    assert who(client) == "carol"
    mails = [mail for mail in mailoutbox if mail.subject == "An emergency account was used"]
    assert {mail.to[0] for mail in mails} == {"carol@example.org", "olga@example.org"}
    assert "“carol”" in mails[0].body
    assert LogEntry.objects.filter(kind="account.emergency").count() == 1


def test_an_emergency_account_without_a_second_factor_opens_nothing(
    enforced: Provider, carol: User
) -> None:
    client, done = typed("carol")
    assert (done.status_code, code_in(done)) == (403, "emergency_account_unsecured")
    assert who(client) == ""


def test_the_sign_in_page_shows_the_provider_and_the_form_to_who_asks(enforced: Provider) -> None:
    page = Client().get("/accounts/login/").content.decode()
    assert "Sign in with Corp" in page
    assert 'name="password"' not in page
    assert 'name="password"' in Client().get("/accounts/login/?emergency").content.decode()


def test_nobody_signs_up_or_resets_a_password(
    enforced: Provider, bob: User, mailoutbox: list[Any]
) -> None:
    words = {"username": "new", "email": "new@corp.example"}
    words |= {"password1": PASSWORD, "password2": PASSWORD}
    done = Client().post("/accounts/signup/", words)
    assert "Accounts are not made here" in done.content.decode()
    assert not User.objects.filter(username="new").exists()
    Client().post("/accounts/password/reset/", {"email": "bob@example.org"})
    assert mailoutbox[-1].subject.endswith("Your account has no password")


def test_a_sign_in_through_the_provider_is_no_emergency(
    enforced: Provider, olga: User, mailoutbox: list[Any]
) -> None:
    client = Client()
    enforced.sign_in(client, "nora", groups=["pf-moderators"])
    assert who(client) == "nora"
    assert not [mail for mail in mailoutbox if "emergency" in mail.subject]
