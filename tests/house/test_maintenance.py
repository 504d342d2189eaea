"""A house that is being looked after lets nobody in, draws nothing more, and loses nothing."""

from __future__ import annotations

import time
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings

from adapters.models import BaseModel
from config.core import clock
from config.settings import applications
from generation.models import RequestStatus
from generation.requests import maintenance
from generation.work import worker
from tests.factories import make_key, make_model, make_request
from tests.house import test_mcp_door
from tests.house.test_bodies import Line

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def door(settings: Settings) -> None:
    """As a house has it."""
    settings.MIDDLEWARE = applications.MIDDLEWARE


@pytest.fixture
def model() -> BaseModel:
    return make_model()


def switched(*arguments: str) -> str:
    out = StringIO()
    call_command("maintenance", *arguments, stdout=out)
    return out.getvalue()


def test_everybody_is_turned_away_and_let_in_again(client: Client) -> None:
    assert client.get("/accounts/login/").status_code == 200
    switched("on")
    page = client.get("/accounts/login/")
    assert (page.status_code, page["Retry-After"]) == (503, "60")
    assert b"This house is being looked after" in page.content
    for path in ("/api/v1/generations/", "/v1/models", "/studio/", "/admin/", "/verify/"):
        assert client.get(path).status_code == 503, path
    problem = client.get("/api/v1/generations/")
    assert problem["Content-Type"] == "application/problem+json"
    assert problem.json()["code"] == "maintenance"
    assert client.get("/v1/models").json()["error"]["code"] == "maintenance"
    for path in ("/livez", "/readyz", "/metrics"):
        assert client.get(path).status_code != 503, path
    assert switched("off") == "The house is open; 0 requests are being drawn.\n"
    assert client.get("/accounts/login/").status_code == 200


def test_tools_are_turned_away_beside_django(alice: User) -> None:
    maintenance.begin(at=clock.now())
    status, headers, body = test_mcp_door.send(
        Line([]), test_mcp_door.bearer(make_key(alice, "read"))
    )
    assert headers[b"retry-after"] == b"60"
    assert (status, b"maintenance" in body) == (503, True)


def test_workers_take_nothing_until_it_is_over(alice: User, model: BaseModel) -> None:
    waiting = make_request(alice, model, status=RequestStatus.QUEUED)
    switched("on")
    assert worker.work_one(now=clock.now) is False
    waiting.refresh_from_db()
    assert (waiting.status, waiting.attempts) == (RequestStatus.QUEUED, 0)


def test_command_waits_for_what_is_drawn_and_says_what_is_left(
    alice: User, model: BaseModel
) -> None:
    assert "0 requests" in switched("on", "--wait", "5")
    make_request(alice, model, status=RequestStatus.RUNNING)
    with pytest.raises(CommandError, match="1 requests are still being drawn"):
        switched("on", "--wait", "0.1")
    assert switched() == "The house is closed; 1 requests are being drawn.\n"


def test_process_that_starts_without_a_database_is_told_by_a_setting(
    client: Client, settings: Settings
) -> None:
    settings.PROOFSHEET_MAINTENANCE = True
    assert client.get("/accounts/login/").status_code == 503


def test_waiting_counts_when_every_worker_knows(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    slept: list[float] = []

    def meanwhile(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 1:  # one that took the house for open yet
            make_request(alice, model, status=RequestStatus.RUNNING)

    monkeypatch.setattr(time, "sleep", meanwhile)
    with pytest.raises(CommandError, match="1 requests are still being drawn"):
        switched("on", "--wait", "0.001")
    assert slept[0] == settings.PROOFSHEET_REMEMBER_S
