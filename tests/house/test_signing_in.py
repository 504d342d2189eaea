"""Who gets in while others try, or while the cache stands still; and what the doors tell nobody."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from django.contrib.auth.hashers import MD5PasswordHasher
from django.contrib.auth.models import User
from django.core import mail
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from config.launch.valkey import Valkey
from config.runtime import forgiving_cache

pytestmark = pytest.mark.django_db
PASSWORD = "a long test password"
LOGIN = "/accounts/login/"
STUDIO = "/studio/"


@pytest.fixture(autouse=True)
def nothing_counted() -> Iterator[None]:
    cache.clear()
    forgiving_cache._counted_here.clear()
    yield
    cache.clear()
    forgiving_cache._counted_here.clear()


def sign_in(client: Client, password: str = PASSWORD, name: str = "alice", **more: Any) -> Any:
    return client.post(LOGIN, {"login": name, "password": password}, **more)


def is_in(answer: Any) -> bool:
    return bool(answer.status_code == 302 and answer["Location"] == STUDIO)


def wrong_until_locked(client: Client, name: str = "alice", **more: Any) -> int:
    """How many wrong passwords are looked at before the door stays shut."""
    for number in range(60):
        answer = sign_in(client, f"wrong {number}", name, **more)
        if answer.status_code == 429 or "Too many" in answer.content.decode():
            return number
    raise AssertionError("nothing stops it")


# ---------------------------------------------------------------- a cache that is away


@pytest.fixture
def own_cache(tmp_path: Path, settings: Settings) -> Iterator[Valkey]:
    """A cache of the test's own, so that it can be stopped."""
    server = Valkey(tmp_path / "cache")
    server.start()
    settings.CACHES = {
        "default": {
            "BACKEND": "config.runtime.forgiving_cache.ForgetfulRedisCache",
            "LOCATION": server.url(1),
        }
    }
    yield server
    if server.process is not None:
        os.kill(server.process.pid, signal.SIGCONT)
    server.stop()


def stand_still(server: Valkey) -> None:
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)


def go_on(server: Valkey) -> None:
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGCONT)
    forgiving_cache._clients_of((server.url(1),)).rests_until = 0.0
    cache.get("whether-it-is-back")


def test_the_right_password_opens_while_the_cache_stands_still(
    own_cache: Valkey, alice: User
) -> None:
    cache.set("connected", True, 60)
    stand_still(own_cache)
    for _ in range(7):
        assert is_in(sign_in(Client()))


def test_wrong_passwords_are_bounded_while_the_cache_stands_still(
    own_cache: Valkey, alice: User
) -> None:
    stand_still(own_cache)
    assert wrong_until_locked(Client()) == 5
    assert is_in(sign_in(Client(), REMOTE_ADDR="192.0.2.7"))


def test_nobody_is_shut_out_by_what_was_asked_of_it_meanwhile(
    own_cache: Valkey, alice: User
) -> None:
    """What lay in its socket is done when it goes on, for requests that are long gone."""
    cache.set("connected", True, 60)
    stand_still(own_cache)
    assert is_in(sign_in(Client()))
    go_on(own_cache)
    assert is_in(sign_in(Client()))


def test_a_code_of_the_app_counts_once_while_the_cache_stands_still(
    own_cache: Valkey, alice: User
) -> None:
    """That a code was used is kept in the cache: without one, no code would open."""
    app = Authenticator.objects.create(user=alice, type="totp", data={"secret": "JBSWY3DPEHPK3PXP"})
    stand_still(own_cache)
    code = str(auth.format_hotp_value(auth.hotp_value("JBSWY3DPEHPK3PXP", 1)))
    wrapped = app.wrap()
    with patch.object(auth, "yield_hotp_counters_from_time", return_value=iter([1, 1])):
        assert wrapped.validate_code(code)
    with patch.object(auth, "yield_hotp_counters_from_time", return_value=iter([1, 1])):
        assert not wrapped.validate_code(code)


def test_a_cache_that_does_not_answer_is_asked_once_and_then_left_alone(
    own_cache: Valkey, alice: User, caplog: pytest.LogCaptureFixture, monkeypatch: Any
) -> None:
    monkeypatch.setattr(forgiving_cache, "REST_SECONDS", 3600)
    stand_still(own_cache)
    assert is_in(sign_in(Client()))
    assert sum("the cache is away" in record.message for record in caplog.records) == 1


def test_calls_are_bounded_while_the_cache_stands_still(
    own_cache: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    from provenance.verify.submitted_files import VerifyThrottle

    monkeypatch.setattr(VerifyThrottle, "THROTTLE_RATES", {"verify": "3/min"})
    stand_still(own_cache)
    codes = [Client().post("/api/v1/verify/").status_code for _ in range(5)]
    assert codes[:3].count(429) == 0
    assert codes[3:] == [429, 429]


# ---------------------------------------------------------------- somebody else's wrong passwords


def test_wrong_passwords_from_elsewhere_lock_nobody_out(alice: User) -> None:
    assert wrong_until_locked(Client(), REMOTE_ADDR="192.0.2.1") == 5
    assert not is_in(sign_in(Client(), REMOTE_ADDR="192.0.2.1"))
    assert is_in(sign_in(Client(), REMOTE_ADDR="192.0.2.2"))


def test_many_addresses_together_are_bounded_by_name(alice: User, settings: Settings) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed_name": "6/h/key"}
    for number in range(6):
        sign_in(Client(), "wrong", REMOTE_ADDR=f"192.0.2.{number}")
    assert not is_in(sign_in(Client(), REMOTE_ADDR="192.0.2.99"))


def test_a_device_that_the_account_knows_gets_in_all_the_same(
    alice: User, settings: Settings
) -> None:
    settings.ACCOUNT_RATE_LIMITS = settings.ACCOUNT_RATE_LIMITS | {"login_failed_name": "6/h/key"}
    own = Client()
    sign_in(own)
    own.post("/accounts/logout/")
    wrong_until_locked(Client())  # from the same address, too
    for number in range(6):
        sign_in(Client(), "wrong", REMOTE_ADDR=f"192.0.2.{number}")
    assert not is_in(sign_in(Client()))
    assert is_in(sign_in(own))
    own.post("/accounts/logout/")
    assert is_in(sign_in(own, name="alice@example.org"))


def test_a_known_device_is_bounded_too(alice: User) -> None:
    own = Client()
    sign_in(own)
    own.post("/accounts/logout/")
    assert wrong_until_locked(own) == 10


def test_a_device_of_one_account_is_a_stranger_to_another(alice: User, mallory: User) -> None:
    own = Client()
    sign_in(own, name="mallory")
    own.post("/accounts/logout/")
    assert wrong_until_locked(own, "alice") == 5


def test_a_name_that_is_somebody_elses_address_makes_no_known_device(
    alice: User, mallory: User
) -> None:
    """One from before such names were refused, whose account was signed in from this browser."""
    User.objects.filter(pk=mallory.pk).update(username="alice@example.org")
    own = Client()
    sign_in(own, name="mallory@example.org")
    assert own.cookies["known_device"].value
    own.post("/accounts/logout/")
    assert wrong_until_locked(own, "alice@example.org") == 5


def test_known_devices_count_by_their_address_too() -> None:
    """Else whoever has many accounts would try as many times as often from one place."""
    tried = 0
    for number in range(3):
        name = f"own{number}"
        User.objects.create_user(name, f"{name}@example.org", PASSWORD)
        client = Client()
        sign_in(client, name=name)
        client.post("/accounts/logout/")
        for _ in range(4):
            tried += "Too many" not in sign_in(client, "wrong", name).content.decode()
    assert tried == 10


@pytest.mark.parametrize("verification", ["none", "mandatory"])
@pytest.mark.parametrize("name", ["alice@example.org", "nobody@example.org", "@"])
def test_no_name_looks_like_an_address(
    alice: User, settings: Settings, verification: str, name: str
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = verification
    User.objects.filter(pk=alice.pk).update(username="alice@example.org")
    form = {"username": name, "email": "new@example.org"}
    form |= {"password1": PASSWORD, "password2": PASSWORD}
    page = Client().post("/accounts/signup/", form)
    assert "A name has no @." in page.content.decode()
    assert User.objects.count() == 1


@pytest.mark.parametrize("forged", ["", "x", "WyJ4IixbXV0:1:2", "a" * 5000])
def test_a_forged_device_is_none(alice: User, forged: str) -> None:
    client = Client()
    client.cookies["known_device"] = forged
    assert wrong_until_locked(client) == 5


def test_a_lock_says_nothing_of_whether_the_name_exists(alice: User) -> None:
    pages = []
    for name, address in (("alice", "192.0.2.1"), ("nobody", "192.0.2.2")):
        client = Client(REMOTE_ADDR=address)
        assert wrong_until_locked(client, name) == 5
        pages.append(sign_in(client, "wrong", name).content.decode().replace(name, "NAME"))
    assert _same(*pages)


# ---------------------------------------------------------------- who there is


def _same(first: str, second: str) -> bool:
    import re

    token = r'(name="csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"'
    return re.sub(token, "", first) == re.sub(token, "", second)


@pytest.mark.parametrize(
    "login",
    ["alice", "alice@example.org", "nobody", "nobody@example.org", "closed", "closed@example.org"],
)
@pytest.mark.parametrize("shape", ["", "without a password", "an address of two"])
def test_a_wrong_password_costs_one_hash_whoever_is_there(
    alice: User, mallory: User, login: str, shape: str
) -> None:
    User.objects.create_user("closed", "closed@example.org", PASSWORD, is_active=False)
    if shape == "without a password":
        alice.set_unusable_password()
        alice.save()
    elif shape:
        EmailAddress.objects.create(user=mallory, email=alice.email)
    with patch.object(MD5PasswordHasher, "encode", autospec=True, side_effect=_encode) as hashed:
        sign_in(Client(), "a wrong password", login)
    assert hashed.call_count == 1


_encode = MD5PasswordHasher.encode


def test_another_accounts_unverified_address_shuts_nobody_out(alice: User) -> None:
    older = User.objects.create_user("older", "older@example.org", PASSWORD, id=-1)
    EmailAddress.objects.create(user=older, email=alice.email)
    client = Client()
    assert is_in(sign_in(client, name="alice@example.org"))
    assert client.session["_auth_user_id"] == str(alice.pk)


def test_the_password_that_is_asked_for_again_is_the_accounts(alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    client = Client()
    sign_in(client)
    for password, wanted in (("a wrong password", 200), (PASSWORD, 302)):
        answer = client.post("/accounts/reauthenticate/", {"password": password})
        assert answer.status_code == wanted


@pytest.mark.parametrize(
    ("name", "address", "mailed"),
    [
        ("alice", "new@example.org", "cannot be had"),
        ("Alice", "new@example.org", "cannot be had"),
        ("newcomer", "alice@example.org", "has one already"),
        ("alice", "alice@example.org", "has one already"),
    ],
)
def test_signing_up_answers_alike_whoever_is_there(
    alice: User, settings: Settings, name: str, address: str, mailed: str
) -> None:
    settings.ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    form = {"password1": PASSWORD, "password2": PASSWORD}
    fresh, taken = Client(), Client()
    good = fresh.post(
        "/accounts/signup/", form | {"username": "other", "email": "other@example.org"}
    )
    accounts = User.objects.count()
    mail.outbox.clear()
    answer = taken.post("/accounts/signup/", form | {"username": name, "email": address})
    assert (answer.status_code, answer["Location"]) == (good.status_code, good["Location"])
    assert set(taken.cookies) == set(fresh.cookies)
    pages = [client.get(good["Location"]).content.decode() for client in (fresh, taken)]
    assert _same(pages[0].replace("other@example.org", address), pages[1])
    assert User.objects.count() == accounts
    [message] = mail.outbox
    assert message.to == [address]
    assert mailed in str(message.body)


def test_asking_for_a_new_password_answers_alike_whoever_is_there(alice: User) -> None:
    answers = [
        Client().post("/accounts/password/reset/", {"email": f"{name}@example.org"})
        for name in ("alice", "nobody")
    ]
    assert answers[0]["Location"] == answers[1]["Location"]


# ---------------------------------------------------------------- what a browser keeps


@pytest.mark.parametrize(
    "path",
    ["/account/", "/account/keys/", "/account/standing/", "/accounts/email/", "/accounts/2fa/"],
)
def test_account_pages_are_stored_nowhere(alice: User, as_user: Any, path: str) -> None:
    assert "no-store" in as_user(alice).get(path)["Cache-Control"]


@pytest.mark.parametrize("path", [LOGIN, "/accounts/signup/", "/accounts/password/reset/"])
def test_pages_of_coming_in_are_stored_nowhere(path: str) -> None:
    assert "no-store" in Client().get(path)["Cache-Control"]


def test_the_admin_is_stored_nowhere(olga: User, as_user: Any) -> None:
    assert "no-store" in as_user(olga).get("/admin/")["Cache-Control"]
