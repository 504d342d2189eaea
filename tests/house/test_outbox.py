"""What must not be lost is a row until it is done: through rollbacks, dead workers and servers."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from io import StringIO
from threading import Barrier
from typing import Any

import pytest
from celery import current_app
from celery.exceptions import NotRegistered
from django.contrib.auth.models import User
from django.core import mail
from django.core.management import call_command
from django.db import connection, transaction

from config.core import events
from config.core.outbox import draining, tasks
from config.core.outbox.models import OutboxRow
from tests.fakes import FrozenClock
from tests.moderation.makers import refused_by

pytestmark = pytest.mark.django_db(transaction=True)
TASK = "moderation.tasks.mail_decision"


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock(datetime.now(UTC) + timedelta(seconds=1))


@pytest.fixture(autouse=True)
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many tickets were sent; nobody takes them but the test itself."""
    sent: list[int] = []
    monkeypatch.setattr(tasks.drain, "apply_async", lambda *_, **__: sent.append(1))
    return sent


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a stand-in for the task was called with."""
    called: list[str] = []
    monkeypatch.setattr(current_app.tasks[TASK], "run", called.append)
    return called


def fails(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    def run(_: str) -> None:
        raise error

    monkeypatch.setattr(current_app.tasks[TASK], "run", run)


def test_a_mail_is_written_with_what_it_tells_of_or_not_at_all(tickets: list[int]) -> None:
    with transaction.atomic():
        events.mail(TASK, "one")
        transaction.set_rollback(True)
    assert not OutboxRow.objects.exists()
    with transaction.atomic():
        events.mail(TASK, "one")
        assert not tickets
    assert (OutboxRow.objects.get().arguments, tickets) == (["one"], [1])


def test_a_name_that_no_task_has_is_told_at_once() -> None:
    with pytest.raises(NotRegistered):
        events.mail("moderation.tasks.nothing")


def test_what_is_done_is_no_longer_there(done: list[str], clock: FrozenClock) -> None:
    for word in ("one", "two"):
        events.mail(TASK, word)
    draining.drain(now=clock)
    assert (sorted(done), OutboxRow.objects.count()) == (["one", "two"], 0)


def test_a_decision_reaches_its_owner_by_the_outbox(
    alice: User, bob: User, clock: FrozenClock
) -> None:
    refused_by(bob, alice)
    draining.drain(now=clock)
    assert [each.to for each in mail.outbox] == [[alice.email]]


def test_a_mail_server_that_is_away_costs_time_and_no_mail(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.mail(TASK, "one")
    with monkeypatch.context() as outage:
        fails(outage, ConnectionRefusedError("to bob@example.org"))
        for delay in draining.DELAYS[:4]:
            draining.drain(now=clock)
            row = OutboxRow.objects.get()
            assert (row.problem, row.due_at) == ("ConnectionRefusedError", clock() + delay)
            clock.at = row.due_at
    called: list[str] = []
    monkeypatch.setattr(current_app.tasks[TASK], "run", called.append)
    draining.drain(now=clock)
    assert (called, OutboxRow.objects.count()) == (["one"], 0)


def test_what_never_succeeds_is_kept_and_said(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    events.mail(TASK, "one")
    events.mail(TASK, "one")
    fails(monkeypatch, ValueError("a word of the mail"))
    for _ in range(len(draining.DELAYS) + 1):
        draining.drain(now=clock)
        clock.forward(9 * 3600)
    assert OutboxRow.objects.filter(gave_up_at__isnull=False).count() == 2
    assert not draining.is_anything_due(at=clock.forward(10**7))
    call_command("retry_mails", stdout=StringIO())
    assert OutboxRow.objects.filter(gave_up_at=None, attempts=0).count() == 2
    assert "ValueError" in caplog.text
    assert "a word of the mail" not in caplog.text


def test_what_was_erased_meanwhile_is_told_to_nobody(alice: User, clock: FrozenClock) -> None:
    events.mail(TASK, "00000000-0000-0000-0000-000000000000")
    draining.drain(now=clock)
    assert (mail.outbox, OutboxRow.objects.count()) == ([], 0)


def test_a_worker_that_dies_after_sending_sends_once_more(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []

    def send_and_die(word: str) -> None:
        sent.append(word)
        raise SystemExit  # nothing below it catches that, as nothing catches SIGKILL

    monkeypatch.setattr(current_app.tasks[TASK], "run", send_and_die)
    events.mail(TASK, "one")
    with pytest.raises(SystemExit):
        draining.drain(now=clock)
    monkeypatch.setattr(current_app.tasks[TASK], "run", sent.append)
    draining.drain(now=clock)
    assert sent == ["one"]
    clock.at += draining.LEASE
    draining.drain(now=clock)
    assert (sent, OutboxRow.objects.count()) == (["one", "one"], 0)


def test_who_was_taken_for_dead_says_nothing_more_about_the_row(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    events.mail(TASK, "one")

    def be_late(_: str) -> None:
        assert draining.claim(at=clock.at + draining.LEASE)
        raise TimeoutError

    monkeypatch.setattr(current_app.tasks[TASK], "run", be_late)
    draining.drain(now=clock)
    row = OutboxRow.objects.get()
    assert (row.attempts, row.problem) == (2, "")


def test_two_workers_share_the_rows(done: list[str], clock: FrozenClock) -> None:
    words = [f"{number:02}" for number in range(20)]
    for word in words:
        events.mail(TASK, word)
    barrier = Barrier(2)

    def work() -> None:
        barrier.wait()
        draining.drain(now=clock)
        connection.close()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda job: job(), [work, work]))
    assert sorted(done) == words


def test_a_row_whose_ticket_was_lost_is_swept_up(
    tickets: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the broker does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(tasks.drain, "apply_async", away)
        events.mail(TASK, "one")
    assert OutboxRow.objects.count() == 1
    tasks.sweep()
    assert tickets == [1]


def test_a_mail_server_that_hangs_leaves_the_other_threads_alone(
    clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draining, "_PATIENCE_S", 0.0)
    held: list[Callable[[], Any]] = []
    for _ in range(draining.AT_ONCE):
        assert draining._places.acquire(blocking=False)
        held.append(draining._places.release)
    try:
        events.mail(TASK, "one")
        draining.drain(now=clock)
        assert OutboxRow.objects.get().attempts == 0
    finally:
        for release in held:
            release()
