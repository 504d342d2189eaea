"""A house without demo accounts gets its first operator from a shell, and no second one."""

from __future__ import annotations

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from config.models import RoleChange

pytestmark = pytest.mark.django_db
PASSWORD = "a long and quiet afternoon"


@pytest.fixture
def piped(monkeypatch: pytest.MonkeyPatch, roles: object) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))


@pytest.mark.usefixtures("piped")
def test_first_operator_operates_and_the_log_is_told(client: Client) -> None:
    call_command("create_operator", "olive", "olive@example.org")
    olive = User.objects.get(username="olive")
    assert olive.is_staff
    assert not olive.is_superuser
    assert RoleChange.objects.get().role == "operators"
    assert client.login(username="olive", password=PASSWORD)
    assert client.get("/capacity/").status_code == 200


@pytest.mark.usefixtures("piped")
def test_second_operator_is_not_made_by_a_shell(olga: User) -> None:
    with pytest.raises(CommandError, match="by two"):
        call_command("create_operator", "olive", "olive@example.org")
    assert not User.objects.filter(username="olive").exists()


@pytest.mark.usefixtures("piped")
@pytest.mark.parametrize(
    ("name", "email"), [("olive", "no address"), ("a b", "a@example.org"), ("alice", "b@c.example")]
)
def test_what_is_no_name_or_address_makes_nobody(alice: User, name: str, email: str) -> None:
    with pytest.raises(CommandError):
        call_command("create_operator", name, email)
    assert list(User.objects.all()) == [alice]


def test_weak_password_makes_nobody(monkeypatch: pytest.MonkeyPatch, roles: object) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("12345678\n"))
    with pytest.raises(CommandError, match="too common"):
        call_command("create_operator", "olive", "olive@example.org")
    assert not User.objects.exists()
