"""Coming in, the account page; none of allauth's pages looks like a default."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from generation.models import GenerationRequest, RequestStatus
from tests.factories import make_model, make_request
from tests.projects.makers import make_project

pytestmark = pytest.mark.django_db
AsUser = Callable[[User], Client]


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/login/",
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/confirm-email/",
        "/accounts/inactive/",
    ],
)
def test_pages_before_signing_in_wear_the_house_look(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    assert 'class="masthead"' in page
    assert 'class="entrance card"' in page


@pytest.mark.parametrize(
    "path",
    [
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/accounts/2fa/totp/activate/",
        "/accounts/reauthenticate/",
    ],
)
def test_pages_of_the_account_wear_the_house_look(alice: User, as_user: AsUser, path: str) -> None:
    client = Client()
    client.post("/accounts/login/", {"login": "alice", "password": "a long test password"})
    page = client.get(path, follow=True).content.decode()
    assert 'class="masthead"' in page
    assert re.search(r'class="button|<button', page)


def test_an_authenticator_app_can_be_added_where_no_mail_was_verified(
    client: Client, alice: User
) -> None:
    client.post("/accounts/login/", {"login": "alice", "password": "a long test password"})
    asked = client.get("/accounts/2fa/totp/activate/")
    assert "Is it you?" in client.get(asked["Location"]).content.decode()
    answer = client.post(asked["Location"], {"password": "a long test password"}, follow=True)
    page = answer.content.decode()
    assert "data:image/svg+xml" in page
    assert "Authenticator code" in page


def test_account_page_leads_to_every_setting(alice: User, as_user: AsUser) -> None:
    page = as_user(alice).get("/account/").content.decode()
    for path in (
        "/accounts/email/",
        "/accounts/password/change/",
        "/accounts/2fa/",
        "/account/keys/",
    ):
        assert path in page
    assert "/admin/" not in page


def test_signing_up_opens_the_studio(client: Client) -> None:
    form = {
        "username": "newcomer",
        "email": "newcomer@example.org",
        "password1": "a long test password",
        "password2": "a long test password",
    }
    answer = client.post("/accounts/signup/", form)
    assert answer["Location"] == "/studio/"
    assert User.objects.get(username="newcomer").email == "newcomer@example.org"


def test_signing_up_with_a_weak_password_says_why(client: Client) -> None:
    form = {"username": "newcomer", "email": "", "password1": "1234", "password2": "1234"}
    page = client.post("/accounts/signup/", form).content.decode()
    assert "This password is too short" in page
    assert not User.objects.exists()


def test_wrong_password_is_told_beside_the_form(client: Client, alice: User) -> None:
    page = client.post("/accounts/login/", {"login": "alice", "password": "no"}).content.decode()
    assert "are not correct" in page
    assert 'value="alice"' in page


def test_signing_in_returns_to_the_page_asked_for(client: Client, alice: User) -> None:
    form = {"login": "alice", "password": "a long test password", "next": "/gallery/"}
    assert client.post("/accounts/login/", form)["Location"] == "/gallery/"


def test_signing_in_never_leads_off_the_site(client: Client, alice: User) -> None:
    form = {"login": "alice", "password": "a long test password", "next": "https://evil.example/"}
    assert client.post("/accounts/login/", form)["Location"] == "/studio/"


def test_signing_out_takes_a_button_not_a_link(alice: User, as_user: AsUser) -> None:
    client = as_user(alice)
    assert "Sign out?" in client.get("/accounts/logout/").content.decode()
    assert client.get("/studio/").status_code == 200
    client.post("/accounts/logout/")
    assert client.get("/studio/").status_code == 302


def test_a_forgotten_password_is_set_anew_by_mail(client: Client, alice: User) -> None:
    client.post("/accounts/password/reset/", {"email": "alice@example.org"})
    link = re.search(r"http://[^/]+(/accounts/password/reset/key/\S+)", str(mail.outbox[0].body))
    assert link is not None
    form_page = client.get(link[1], follow=True)
    assert 'class="entrance card"' in form_page.content.decode()
    new = {"password1": "another long password", "password2": "another long password"}
    client.post(form_page.request["PATH_INFO"], new)
    assert client.login(username="alice", password="another long password")


def test_what_was_used_and_when_it_frees_up_stands_on_the_account_page_and_in_the_studio(
    alice: User, as_user: AsUser
) -> None:
    at = timezone.now() - timedelta(hours=20)
    made = make_request(alice, make_model(), status=RequestStatus.FINISHED, created_at=at)
    GenerationRequest.objects.filter(pk=made.pk).update(count=3, made=3)
    page = as_user(alice).get("/account/").content.decode()
    assert "<dd>3 of 1000</dd>" in page
    assert f"from {at + timedelta(days=1):%-d %b, %H:%M} UTC" in page
    assert ">3 of 1000</a> pictures used" in as_user(alice).get("/studio/").content.decode()


def test_a_project_with_limits_of_its_own_is_not_told_its_members(
    alice: User, as_user: AsUser
) -> None:
    team = make_project(alice, images_a_day=5)
    client = as_user(alice)
    client.post("/projects/choose/", {"project": team.pk})
    assert "pictures used" not in client.get("/studio/").content.decode()
