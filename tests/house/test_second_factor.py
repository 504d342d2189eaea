"""What opens to an account with a role before its second factor is proved: nothing."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from asgiref.sync import async_to_sync
from django.apps import apps
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import AsyncClient, Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings
from rest_framework.test import APIClient

from config.accounts.second_factor import requirement
from config.accounts.second_factor.second_factor_middleware import OPEN_TO_PROVE_IT
from config.core.api import error_dialects, problem_documents
from tests.factories import make_key

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]
PASSWORD = "a long test password"
FILLED = {
    "uuid": "00000000-0000-4000-8000-000000000000",
    "int": "1",
    "slug": "none",
    "str": "none",
    "path": "1",
}
DESK = "/review/"
# Adding one is told once it is committed.
committed = pytest.mark.django_db(transaction=True)


@pytest.fixture
def demanded(settings: Settings) -> None:
    settings.PROOFSHEET_SECOND_FACTOR = True


def code_of(secret: str) -> str:
    code: str = auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30))
    return code


def sign_in(name: str) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": name, "password": PASSWORD})
    return client


def set_up(client: Client) -> str:
    """An authenticator app, as a person adds one; the app's secret."""
    asked = client.get("/accounts/2fa/totp/activate/")
    page = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    secret = re.search(r"<dd><code>(\w+)</code>", page.content.decode())
    assert secret is not None
    done = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret[1])})
    assert done.status_code == 302
    return secret[1]


def _paths(found: list[URLPattern | URLResolver], before: str = "") -> Iterator[str]:
    for one in found:
        route = before + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from _paths(one.url_patterns, route)
        elif not re.search(r"[\^$\\(]", route):
            yield "/" + re.sub(r"<(?:(\w+):)?\w+>", lambda said: FILLED[said[1] or "str"], route)


PATHS = sorted(path for path in _paths(get_resolver().url_patterns) if "/accounts/" not in path)


def test_the_paths_are_the_whole_house() -> None:
    assert {"/review/", "/reports/exports/", "/admin/", "/audits/", "/capacity/"} <= set(PATHS)
    assert len(PATHS) > 150


@pytest.mark.parametrize("who", ["bob", "carol", "dora", "olga"])
def test_nothing_opens_to_a_role_without_it(
    demanded: None, who: str, as_user: AsUser, request: pytest.FixtureRequest
) -> None:
    """Every address of the house, read and written."""
    client = as_user(request.getfixturevalue(who))
    for path in PATHS:
        for answer in (client.get(path), client.post(path)):
            if problem_documents.is_for_programs(path):
                assert answer.status_code == 403, path
                # SCIM's errors have no codes, only sentences
                said = "second factor" if path.startswith("/scim/") else "second_factor_needed"
                assert said in str(answer.json()), path
                assert answer["Content-Type"] == error_dialects.content_type_at(path)
            else:
                assert answer.status_code == 302, path
                assert answer["Location"] == "/accounts/2fa/?needed=1", path


@committed
@pytest.mark.parametrize(
    ("who", "path"),
    [("bob", DESK), ("dora", "/reports/exports/"), ("olga", "/admin/"), ("olga", "/capacity/")],
)
def test_setting_one_up_opens_what_the_role_may(
    demanded: None, who: str, path: str, request: pytest.FixtureRequest
) -> None:
    request.getfixturevalue(who)
    client = sign_in(who)
    page = client.get(path, follow=True).content.decode()
    assert "Your role needs a second factor" in page
    set_up(client)
    assert client.get(path).status_code == 200
    assert client.get("/api/v1/images/").status_code == 200


@committed
def test_a_password_alone_signs_nobody_in_who_has_one(demanded: None, bob: User) -> None:
    secret = set_up(sign_in("bob"))
    client = sign_in("bob")
    assert client.get(DESK, follow=True).request["PATH_INFO"] == "/accounts/2fa/authenticate/"
    soon = str(code_of(secret))
    answer = client.post("/accounts/2fa/authenticate/", {"code": soon})
    if answer.status_code == 200:  # the same 30 seconds: each code counts once
        codes = Authenticator.objects.get(user=bob, type="recovery_codes").wrap()
        client.post("/accounts/2fa/authenticate/", {"code": codes.get_unused_codes()[0]})
    assert client.get(DESK).status_code == 200


@committed
def test_a_session_from_before_proves_it_first(demanded: None, bob: User, as_user: AsUser) -> None:
    """One that was there when the factor was added elsewhere, or the role given."""
    set_up(sign_in("bob"))
    before = as_user(bob)
    answer = before.get(DESK)
    assert answer["Location"] == "/accounts/2fa/reauthenticate/?next=%2Freview%2F"
    assert before.get("/studio/").status_code == 302


@committed
@pytest.mark.parametrize("kind", ["totp", "recovery_codes"])
def test_a_proof_ends_with_the_factor_that_it_was_of(demanded: None, bob: User, kind: str) -> None:
    """Taken off elsewhere, by whomever; with another set up since, it is that one's turn."""
    secret = set_up(sign_in("bob"))
    client = sign_in("bob")
    code = code_of(secret)
    if kind == "recovery_codes":
        codes = Authenticator.objects.get(user=bob, type=kind).wrap()
        code = codes.get_unused_codes()[0]
    else:
        cache.clear()  # which remembers that the code of these 30 seconds was used
    client.post("/accounts/2fa/authenticate/", {"code": code})
    assert client.get(DESK).status_code == 200
    Authenticator.objects.filter(user=bob).delete()
    assert client.get(DESK)["Location"] == "/accounts/2fa/?needed=1"
    set_up(sign_in("bob"))
    assert "/accounts/2fa/reauthenticate/" in client.get(DESK)["Location"]


@committed
def test_taking_ones_own_off_closes_the_desk(demanded: None, bob: User) -> None:
    client = sign_in("bob")
    set_up(client)
    assert client.get(DESK).status_code == 200
    client.post("/accounts/2fa/totp/deactivate/")
    assert not requirement.has_one(bob)
    assert client.get(DESK)["Location"] == "/accounts/2fa/?needed=1"


ACCOUNTS = sorted(path for path in _paths(get_resolver().url_patterns) if "/accounts/" in path)


@committed
def test_a_password_alone_reaches_no_page_that_adds_or_removes_one(
    demanded: None, bob: User, as_user: AsUser
) -> None:
    """A session that has not proved the factor that its account has may prove it, or sign out."""
    set_up(sign_in("bob"))
    before = as_user(bob)
    assert "/accounts/2fa/webauthn/add/" in ACCOUNTS
    proving = "/accounts/2fa/reauthenticate/"
    for path in ACCOUNTS:
        if path in OPEN_TO_PROVE_IT:
            continue
        for answer in (before.get(path), before.post(path, {"password": PASSWORD})):
            assert answer.status_code == 302, path
            assert answer["Location"].partition("?")[0] == proving, path
    page = before.get(proving)
    assert page.status_code == 200
    assert "Use your password" not in page.content.decode()
    assert Authenticator.objects.filter(user=bob).count() == 2  # the app and the recovery codes
    before.post("/accounts/logout/")
    assert before.get("/accounts/login/").status_code == 200


def test_who_has_a_passkey_alone_proves_that(demanded: None, bob: User, as_user: AsUser) -> None:
    Authenticator.objects.create(user=bob, type="webauthn", data={"name": "key", "credential": {}})
    answer = as_user(bob).get(DESK)
    assert answer["Location"] == "/accounts/2fa/webauthn/reauthenticate/?next=%2Freview%2F"


def test_a_fragment_leads_the_whole_page_there(demanded: None, bob: User, as_user: AsUser) -> None:
    answer = as_user(bob).get(DESK, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == "/accounts/2fa/?needed=1"


@committed
def test_it_is_asked_for_under_asgi_too(demanded: None, bob: User, alice: User) -> None:
    async def location(name: str, path: str) -> str:
        client = AsyncClient()
        await client.aforce_login(await User.objects.aget(username=name))
        answer = await client.get(path)
        return str(answer.headers.get("Location", ""))

    assert async_to_sync(location)("bob", DESK) == "/accounts/2fa/?needed=1"
    assert async_to_sync(location)("alice", "/studio/") == ""
    assert async_to_sync(location)("bob", "/accounts/2fa/") == ""


@pytest.mark.parametrize("path", ["/studio/", "/gallery/", "/account/", "/api/v1/images/"])
def test_who_has_no_role_is_not_asked(
    demanded: None, alice: User, as_user: AsUser, path: str
) -> None:
    assert as_user(alice).get(path).status_code == 200


def test_signing_in_and_out_stay_open(demanded: None, bob: User) -> None:
    client = sign_in("bob")
    for path in ("/accounts/2fa/", "/accounts/logout/", "/accounts/email/"):
        assert client.get(path).status_code in {200, 302}
        assert "needed" not in client.get(path).headers.get("Location", "")
    client.post("/accounts/logout/")
    assert client.get("/").status_code == 200


@committed
def test_a_key_opens_the_desk_only_to_an_account_with_one(demanded: None, bob: User) -> None:
    api = APIClient(headers={"Authorization": f"Bearer {make_key(bob)}"})
    answer = api.get("/api/v1/review/cases/")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_needed")
    assert api.get("/api/v1/images/").status_code == 200
    set_up(sign_in("bob"))
    assert api.get("/api/v1/review/cases/").status_code == 200


def test_locally_nobody_is_asked(bob: User, as_user: AsUser) -> None:
    assert as_user(bob).get(DESK).status_code == 200


@committed
def test_its_secrets_are_encrypted_in_the_database(bob: User) -> None:
    secret = set_up(sign_in("bob"))
    said = " ".join(str(row) for row in Authenticator.objects.values_list("data", flat=True))
    assert secret not in said
    assert said.count("gAAAA") == 2  # the app's and the recovery codes'


def test_a_secret_closed_under_an_older_key_still_opens(settings: Settings) -> None:
    from config.accounts.second_factor.secret_storage import Secrets

    settings.SECRET_KEY = "the older one, long enough for nothing in particular"
    closed = Secrets().encrypt("JBSWY3DP")
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "the newer one, long enough for nothing in particular"
    assert Secrets().decrypt(closed) == "JBSWY3DP"


def test_secrets_of_before_are_encrypted_by_the_migration(bob: User) -> None:
    row = Authenticator.objects.create(user=bob, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    import_module("config.migrations.0003_second_factors_encrypted").encrypt(apps, None)
    row.refresh_from_db()
    assert row.data["secret"].startswith("gAAAA")
    assert row.wrap().validate_code(code_of("JBSWY3DPEHPK3PXP"))


@committed
def test_adding_one_is_mailed_to_its_owner(bob: User) -> None:
    set_up(sign_in("bob"))
    assert any(message.to == ["bob@example.org"] for message in mail.outbox)


def test_passkeys_are_offered(bob: User) -> None:
    client = sign_in("bob")
    asked = client.get("/accounts/2fa/webauthn/add/")
    page: Any = client.post(asked["Location"], {"password": PASSWORD}, follow=True)
    assert "Add a passkey" in page.content.decode()
    assert '"publicKey"' in page.content.decode()
    assert requirement.has_one(bob) is False
