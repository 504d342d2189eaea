"""A session lasts until it is over: by its time, by a sign-out, by another password."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(User.objects.create_user("alice", password="first"))
    assert is_signed_in(client)
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/api/v1/generations/").status_code == 200


def test_a_session_that_has_expired_signs_nobody_in(signed_in: Client) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    assert not is_signed_in(signed_in)


def test_a_copied_cookie_is_worth_nothing_after_the_sign_out(signed_in: Client) -> None:
    copy = Client(SERVER_NAME="localhost")
    copy.cookies["sessionid"] = signed_in.cookies["sessionid"].value
    assert is_signed_in(copy)
    signed_in.logout()
    assert not is_signed_in(copy)


def test_another_password_ends_the_session(signed_in: Client) -> None:
    alice = User.objects.get()
    alice.set_password("second")
    alice.save()
    assert not is_signed_in(signed_in)


def test_a_made_up_session_is_nobodys(client: Client) -> None:
    client.cookies["sessionid"] = "a" * 32
    assert not is_signed_in(client)
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    "key",
    ['"\\000aaaaaaaaaa"', '"' + "a" * 31 + '\\000"', "A" * 32, "a" * 33, "a" * 5000, "é" * 32, ""],
    ids=["NUL", "NUL at the end", "capitals", "longer", "long", "no ASCII", "none"],
)
@pytest.mark.parametrize("address", ["/", "/api/v1/generations/", "/accounts/logout/"])
def test_a_cookie_that_names_no_session_is_nobodys(key: str, address: str) -> None:
    client = Client(raise_request_exception=False, headers={"cookie": f"sessionid={key}"})
    for answer in (client.get(address), client.post(address)):
        assert answer.status_code < 500
    assert not is_signed_in(client)
