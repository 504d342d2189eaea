"""Celery tasks of the room. A lost one is sent again, a doubled one finds nothing to do."""

from __future__ import annotations

from time import monotonic
from typing import Any
from uuid import UUID

from celery import shared_task
from celery.signals import worker_ready, worker_shutting_down

from config.core import clock
from generation.hardware import hardware_queues, worker_processes
from generation.requests import prompt_screening
from generation.suite_runs import stints, suite_rendering
from generation.work import sweeper
from generation.work.drain import drain

AUDITS_S = 45.0


@shared_task
def screen_prompt(request_id: str) -> None:
    """Of a request that was just submitted, or whose ticket was lost."""
    prompt_screening.screen(UUID(request_id), at=clock.now())


@shared_task(bind=True)
def render(self: Any) -> None:
    """For a request of the queue that the ticket came from."""
    from generation.work import worker  # torch: the web process sends tasks, too

    came_by = self.request.delivery_info or {}
    worker.work_one(now=clock.now, name=came_by.get("routing_key") or hardware_queues.ANY)


@shared_task
def requeue_stalled() -> None:
    """Every few seconds: what dead workers and lost tickets left behind."""
    sweeper.sweep(at=clock.now())


@shared_task
def render_audits() -> None:
    """Pictures of a scheduled suite, until users' requests wait or beat's next ticket is due."""
    ends_s = monotonic() + AUDITS_S
    while suite_rendering.work_some(now=clock.now) and monotonic() < ends_s:
        if suite_rendering.somebody_waits():
            return


@shared_task
def audit_stint(run_id: str, stint: int) -> None:
    """A few pictures of a run that somebody asked for."""
    stints.work(UUID(run_id), stint, now=clock.now)


@shared_task
def requeue_audits() -> None:
    """Every few seconds: the tickets of runs that none came for."""
    stints.sweep(at=clock.now())


@worker_ready.connect
def announce_worker(sender: Any, **_: Any) -> None:
    """A worker that is ready says so, with its queues, until it goes."""
    queues = sorted(sender.app.amqp.queues.consume_from)
    renders = any(name.startswith("gpu") for name in queues)
    if renders:
        from generation.hardware import engine_metrics  # torch

        engine_metrics.register()
    worker_processes.announcer.start(
        worker_processes.Announcement(
            name=str(sender.hostname),
            queues=queues,
            slots=int(sender.controller.concurrency),
            vitals=_look_inside if renders else dict,
        )
    )


def _look_inside() -> dict[str, int]:
    from generation.hardware import devices  # torch

    return devices.vitals()


@worker_shutting_down.connect
def dismiss_worker(**_: Any) -> None:
    """A worker that goes is not waited for, and takes nothing more."""
    drain.begin()
    worker_processes.announcer.stop()
