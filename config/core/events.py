"""What happens becomes known outside: tasks are sent by name, once the transaction is kept.

The rooms' domain sends; their `tasks` modules are leaves that call the domain. A task that cannot
be sent is logged and lost: what waits for it lies in the database, where a sweeper finds it.
"""

from collections.abc import Callable
from typing import Any

from celery import current_app
from django.db import transaction


def after_commit(act: Callable[[], object]) -> None:
    """Do it when the transaction is kept, at once where there is none; what fails is logged."""
    transaction.on_commit(lambda: act() and None, robust=True)


def send(task: str, *args: Any, queue: str | None = None, countdown_s: float | None = None) -> None:
    """Send the task of that name, such as `generation.tasks.render`, after the commit.

    Its queue is that of `CELERY_TASK_ROUTES`, or the one named. Raises celery's NotRegistered, at
    once, for a name that no task has.
    """
    known: Any = current_app.tasks[task]
    after_commit(lambda: known.apply_async(args, queue=queue, countdown=countdown_s))


def send_now(task: str, *args: Any) -> None:
    """Send a task that no row waits for. Raises kombu's OperationalError while the broker is away,
    so that whoever asked is told.
    """
    known: Any = current_app.tasks[task]
    known.apply_async(args)
