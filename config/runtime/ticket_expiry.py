"""When a ticket of beat's has expired, by the database's clock on both sides (ADR 75).

Celery writes an expiry by the clock of whoever sends and reads it by the clock of whoever takes it.
A lone worker ten seconds ahead of beat would drop every ticket that comes: no entry of the log gets
its place, nothing is swept, and no line says so.
"""

from datetime import UTC, datetime
from typing import Any, Literal

from celery import Task
from celery.signals import beat_embedded_init, before_task_publish
from celery.worker.request import Request
from django.db import DatabaseError, InterfaceError

from config.core import clock


class TimedRequest(Request):
    """A ticket that a worker took."""

    def maybe_expire(self) -> Literal[True] | None:
        """Whether it has expired; the database is asked only where this host's clock says so."""
        if not self.expires or _by_database(datetime.now(UTC), least=self.expires) <= self.expires:
            return None
        return super().maybe_expire()


class TimedTask(Task):  # type: ignore[type-arg]  # a generic class in the stubs alone
    """What every task of the house is made from."""

    Request = f"{__name__}:{TimedRequest.__name__}"


def _by_database(here: datetime, *, least: datetime) -> datetime:
    """The time, by the database's clock where this host's is past `least`; by this host's while the
    database is away.
    """
    try:
        return clock.now() if here > least else here
    except (DatabaseError, InterfaceError):
        return here


@before_task_publish.connect
def write_expiry(headers: dict[str, Any] | None = None, **_: Any) -> None:
    """Before a ticket is sent: as many seconds from now, by the database's clock."""
    if headers is None or not headers.get("expires"):
        return
    here = datetime.now(UTC)
    ahead = here - _by_database(here, least=datetime.min.replace(tzinfo=UTC))
    headers["expires"] = (datetime.fromisoformat(headers["expires"]) - ahead).isoformat()


@beat_embedded_init.connect
def refuse_to_share(**_: Any) -> None:
    """Beat inside a worker (`-B`) is a fork that inherits its database connections: both would read
    each other's answers, and the worker would stand still without a word. Raises SystemExit.
    """
    raise SystemExit("Beat runs as a process of its own: start `celery -A config beat`.")
