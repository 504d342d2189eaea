"""A ticket of beat's expires by the database's clock, whatever the hosts' own clocks say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from celery.signals import beat_embedded_init
from celery.utils.imports import symbol_by_name
from django.db import OperationalError
from kombu.message import Message

from config.celery import app
from config.core import clock
from config.runtime import ticket_expiry

NAME = "provenance.tasks.sequence_log"


def taken(expires: datetime) -> Any:
    """The ticket as a worker of the house has it in hand."""
    task = app.tasks[NAME]
    headers = {"task": NAME, "id": "one", "expires": expires.isoformat(), "lang": "py"}
    message = Message(
        body="[[], {}, {}]",
        headers=headers,
        properties={},
        delivery_info={},
        content_type="application/json",
        content_encoding="utf-8",
    )
    return symbol_by_name(task.Request)(message, app=app, task=task)


@pytest.fixture
def ahead(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`ahead(25)`: this host's clock is so many seconds ahead of the database's."""

    def set_ahead(seconds: float) -> None:
        monkeypatch.setattr(clock, "now", lambda: datetime.now(UTC) - timedelta(seconds=seconds))

    return set_ahead


@pytest.mark.parametrize("ahead_s", [25, 3600])
def test_worker_whose_clock_is_ahead_drops_nothing_that_is_fresh(ahead: Any, ahead_s: int) -> None:
    ahead(ahead_s)
    sent_at = datetime.now(UTC) - timedelta(seconds=ahead_s)
    assert not taken(sent_at + timedelta(seconds=10)).maybe_expire()


@pytest.mark.parametrize("ahead_s", [0, 25])
def test_ticket_that_is_old_by_the_databases_clock_is_dropped(ahead: Any, ahead_s: int) -> None:
    ahead(ahead_s)
    sent_at = datetime.now(UTC) - timedelta(seconds=ahead_s + 60)
    assert taken(sent_at + timedelta(seconds=10)).maybe_expire()


@pytest.mark.parametrize("ahead_s", [-40, 0, 40])
def test_beat_writes_the_expiry_by_the_databases_clock(ahead: Any, ahead_s: int) -> None:
    ahead(ahead_s)
    here = datetime.now(UTC)
    headers: dict[str, Any] = {"expires": (here + timedelta(seconds=10)).isoformat()}
    ticket_expiry.write_expiry(headers=headers)
    left = datetime.fromisoformat(headers["expires"]) - (here - timedelta(seconds=ahead_s))
    assert left.total_seconds() == pytest.approx(10, abs=1)


def test_without_the_database_each_host_goes_by_its_own_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away() -> datetime:
        raise OperationalError

    monkeypatch.setattr(clock, "now", away)
    headers: dict[str, Any] = {"expires": datetime.now(UTC).isoformat()}
    before = dict(headers)
    ticket_expiry.write_expiry(headers=headers)
    assert headers == before
    assert taken(datetime.now(UTC) - timedelta(seconds=1)).maybe_expire()


def test_ticket_without_an_expiry_asks_no_database() -> None:
    headers: dict[str, Any] = {"expires": None}
    ticket_expiry.write_expiry(headers=headers)
    assert headers == {"expires": None}


def test_every_task_of_the_house_is_taken_so() -> None:
    of_the_house = [task for name, task in app.tasks.items() if not name.startswith("celery.")]
    assert len(of_the_house) > 10
    assert {symbol_by_name(task.Request) for task in of_the_house} == {ticket_expiry.TimedRequest}


def test_beat_does_not_run_inside_a_worker() -> None:
    """A fork shares its parent's database connections, and both stand still."""
    with pytest.raises(SystemExit, match="celery -A config beat"):
        beat_embedded_init.send(sender=app)
