"""Hosts whose clocks differ: leases are written and judged by the database's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.utils import timezone

from adapters.models import BaseModel
from config.core import clock
from generation import tasks
from generation.hardware import worker_processes
from generation.line import claims
from generation.models import RequestStatus
from generation.work import worker
from tests.factories import make_request

pytestmark = pytest.mark.django_db


def skew(patch: pytest.MonkeyPatch, seconds: float) -> None:
    """Set this host's clock wrong."""
    right = timezone.now
    patch.setattr(timezone, "now", lambda: right() + timedelta(seconds=seconds))


@pytest.mark.parametrize(("workers_s", "sweepers_s"), [(-40, 0), (0, 40), (40, -40)])
def test_a_request_that_is_worked_on_stays_whoever_has_the_wrong_time(
    alice: User,
    model: BaseModel,
    monkeypatch: pytest.MonkeyPatch,
    workers_s: float,
    sweepers_s: float,
) -> None:
    made = make_request(alice, model)
    monkeypatch.setattr(
        worker,
        "work_one",
        lambda *, now, name: claims.claim(worker="far:1", at=now(), name=name),
    )
    with monkeypatch.context() as far:
        skew(far, workers_s)
        tasks.render()
    with monkeypatch.context() as near:
        skew(near, sweepers_s)
        tasks.requeue_stalled()
    made.refresh_from_db()
    assert (made.status, made.attempts) == (RequestStatus.RUNNING, 1)


def test_a_worker_with_the_wrong_time_announces_itself_at_the_databases(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    said: list[datetime] = []
    monkeypatch.setattr(worker_processes, "announce", lambda *_, at, **__: said.append(at))
    skew(monkeypatch, -40)
    ours = worker_processes.Announcer()
    ours._said = worker_processes.Announcement("render@far", ["gpu"], 2, dict)
    ours._say()
    assert abs(said[0] - _databases_time()) < timedelta(seconds=20)


def test_the_clock_goes_on_while_the_database_is_away() -> None:
    ours = clock.DatabaseClock()
    first = ours()
    ours._looked_at_s = float("-inf")

    def refuse(*_: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")

    with connection.execute_wrapper(refuse):
        assert ours() >= first
        with pytest.raises(OperationalError):
            clock.DatabaseClock()()


def test_the_clock_asks_the_database_seldom(django_assert_num_queries: Any) -> None:
    ours = clock.DatabaseClock()
    with django_assert_num_queries(1):
        times = [ours() for _ in range(5)]
    assert times == sorted(times)


def _databases_time() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        told: datetime = cursor.fetchone()[0]
    return told
