"""Doing what waits in the outbox: each row is taken by one worker, done outside any transaction,
and deleted. Who dies in between leaves a row that is due again two minutes later; it is done twice
then.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any

from celery import current_app
from django.core.exceptions import ObjectDoesNotExist
from django.db import connection, transaction

from config.core.clock import Clock
from config.core.outbox.models import OutboxRow

logger = logging.getLogger(__name__)
LEASE = timedelta(minutes=2)
DELAYS = (
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=3),
    *(timedelta(hours=8),) * 6,
)
"""What passes after each attempt that failed: more than two days in all."""

AT_ONCE = 4
"""Of one process: a mail server that hangs leaves the threads of the others free."""

_PATIENCE_S = 1.0
_places = BoundedSemaphore(AT_ONCE)


def drain(*, now: Clock) -> None:
    """Do what is due until nothing is. Where enough are at it already, nothing: they look again."""
    if not _places.acquire(timeout=_PATIENCE_S):
        return
    try:
        while (row := claim(at=now())) is not None:
            _do(row, now=now)
    finally:
        _places.release()


@transaction.atomic
def claim(*, at: datetime) -> OutboxRow | None:
    """The row that has been due the longest and that nobody else is taking."""
    waiting = OutboxRow.objects.filter(gave_up_at=None, due_at__lte=at).order_by("due_at", "id")
    row = waiting.select_for_update(skip_locked=True).first()
    if row is not None:
        row.take(until=at + LEASE)
    return row


def is_anything_due(*, at: datetime) -> bool:
    """Whether somebody should look."""
    return OutboxRow.objects.filter(gave_up_at=None, due_at__lte=at).exists()


def try_again(*, at: datetime) -> int:
    """What was given up waits again, from the beginning of its schedule; how much it was."""
    given_up = OutboxRow.objects.filter(gave_up_at__isnull=False)
    return given_up.update(gave_up_at=None, attempts=0, due_at=at)


def _do(row: OutboxRow, *, now: Clock) -> None:
    task: Any = current_app.tasks.get(row.task)
    try:
        if task is None:
            raise LookupError(f"no task is called {row.task}")
        task.run(*row.arguments)
    except ObjectDoesNotExist:
        logger.info("%s has nothing left to tell of", row)  # erased meanwhile
    except Exception as error:  # whatever it is, the row stays until the task has been done
        if not connection.in_atomic_block:
            connection.close()  # perhaps it is what broke; the next query takes another one
        _put_off(row, type(error).__name__, at=now())
        return
    OutboxRow.objects.filter(id=row.id, attempts=row.attempts).delete()


def _put_off(row: OutboxRow, problem: str, *, at: datetime) -> None:
    """A row that another worker has taken over since is left to that one."""
    with transaction.atomic():
        mine = OutboxRow.objects.select_for_update().filter(id=row.id, attempts=row.attempts)
        held = mine.first()
        if held is None:
            return
        if held.attempts > len(DELAYS):
            held.give_up(problem=problem, at=at)
        else:
            held.put_off(DELAYS[held.attempts - 1], problem=problem, at=at)
    logger.warning("%s failed at attempt %d: %s", row, row.attempts, problem)
