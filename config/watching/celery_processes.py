"""Workers and beat are watched on ports of their own, and count the tickets that they work on."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from celery import signals

from config.core.watching.instruments import TASK_SECONDS, TASKS, TICKETS_SENT, bounded
from config.watching import watched_process
from config.web.probes import Readiness

_began_s: dict[str, float] = {}
_lacks = ["models"]
"""What a worker itself lacks: changed as a whole, for a signal may come at any time."""


def connect() -> None:
    """Before whatever loads models, so that a worker is watched while it does."""
    for signal, receive in (
        (signals.celeryd_after_setup, open_for_worker),
        (signals.worker_ready, note_ready),
        (signals.worker_shutting_down, note_draining),
        (signals.beat_init, open_for_beat),
        (signals.task_prerun, note_begun),
        (signals.task_postrun, note_ended),
        (signals.after_task_publish, note_sent),
    ):
        signal.connect(receive, dispatch_uid=f"house.{receive.__name__}")


def kind_of(queues: set[str]) -> str:
    """Which ports a worker of these queues has: a renderer's, if it renders at all."""
    if any(name.startswith("gpu") for name in queues):
        return "render"
    return "outbox" if queues == {"outbox"} else "cpu"


def open_for_worker(instance: Any, **_: Any) -> None:
    readiness = Readiness(lambda: _lacks)
    queues = set(instance.app.amqp.queues.consume_from)
    watched_process.begin(kind_of(queues), readiness.lacking)


def open_for_beat(**_: Any) -> None:
    watched_process.begin("beat", Readiness().lacking)


def note_ready(**_: Any) -> None:
    global _lacks
    _lacks = []


def note_draining(**_: Any) -> None:
    global _lacks
    _lacks = ["draining"]


def note_begun(task_id: str, **_: Any) -> None:
    _began_s[task_id] = perf_counter()


def note_ended(task_id: str, task: Any, state: str | None = None, **_: Any) -> None:
    took_s = perf_counter() - _began_s.pop(task_id, perf_counter())
    TASKS.labels(task.name, (state or "unknown").lower()).inc()
    TASK_SECONDS.labels(task.name).observe(took_s)


def note_sent(sender: str, **_: Any) -> None:
    TICKETS_SENT.labels(bounded("task", sender)).inc()
