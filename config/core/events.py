"""What happens becomes known outside, in three ways.

`send`: a task by name, once the transaction is kept. One that cannot be sent is logged and lost:
what waits for it lies in the database, where a sweeper finds it. The rooms' domain sends; their
`tasks` modules are leaves that call the domain.

`mail`: a task for which nothing else waits. It is a row of the transaction and is done at least
once, whatever dies in between.

`tell`: an event for a project's own programs. Whoever keeps webhooks writes its deliveries in the
same transaction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.dispatch import Signal

from config.core import clock
from config.core.outbox.event_types import EVENT_TYPES
from config.core.outbox.models import OutboxRow

told = Signal()
"""Sent inside the transaction with `event`, an `ProjectEvent`; a receiver that raises undoes it."""


@dataclass(frozen=True, slots=True)
class ProjectEvent:
    """Something that happened to what is a project's. What it says is worked out once somebody
    wants to know it."""

    project_id: UUID
    type: str
    said: Callable[[], dict[str, Any]]
    at: datetime


def after_commit(act: Callable[[], object]) -> None:
    """Do it when the transaction is kept, at once where there is none; what fails is logged."""
    transaction.on_commit(lambda: act() and None, robust=True)


def send(task: str, *args: Any, queue: str | None = None) -> None:
    """Send the task of that name, such as `generation.tasks.render`, after the commit.

    Its queue is that of `CELERY_TASK_ROUTES`, or the one named. None is sent to be done later, for
    it would hold a worker's place until then: a row says when it is due, and beat's sweep sends it.
    Raises celery's NotRegistered, at once, for a name that no task has.
    """
    known: Any = current_app.tasks[task]
    after_commit(lambda: known.apply_async(args, queue=queue))


def send_now(task: str, *args: Any) -> None:
    """Send a task that no row waits for. Raises kombu's OperationalError while the broker is away,
    so that whoever asked is told.
    """
    known: Any = current_app.tasks[task]
    known.apply_async(args)


def mail(task: str, *args: str) -> None:
    """Have the task of that name done at least once, such as `moderation.tasks.mail_decision`: a
    row of the running transaction says so until it is. Raises celery's NotRegistered.
    """
    known: Any = current_app.tasks[task]
    at = clock.now()
    OutboxRow.objects.create(task=known.name, arguments=list(args), written_at=at, due_at=at)
    send("config.core.outbox.tasks.drain")


def tell(
    project_id: UUID | None,
    type: str,
    data: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    *,
    end_user_id: UUID | None = None,
) -> None:
    """Tell a project's programs, at least once and in no promised order, of what happened; without
    a project nobody. `data` is ids, states and addresses, or what works them out, which is called
    in the transaction if anybody listens.

    Raises ValueError for a type that `EVENT_TYPES` does not have.
    """
    if type not in EVENT_TYPES:
        raise ValueError(f"no event is called {type}")
    if project_id is None:
        return
    whose = {"end_user_id": str(end_user_id)} if end_user_id else {}

    def said() -> dict[str, Any]:
        return {**(data() if callable(data) else data), **whose}

    told.send(sender=ProjectEvent, event=ProjectEvent(project_id, type, said, clock.now()))
