"""What a request truly waits for while no worker can take it: one that loads, or one that is not
there."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from generation.hardware import hardware_queues, worker_processes
from generation.line.tickets import SCREENING_QUEUE
from generation.models import GenerationRequest, RequestStatus, Worker

NOBODY = "Waiting for a worker to start"
NO_RENDERER = "No worker draws with this model now; yours keeps its place until one is back"


def lines(requests: Iterable[GenerationRequest], *, at: datetime) -> dict[str, str]:
    """By queue, for those in which requests wait and no worker is ready, what they wait for."""
    queues = {_queue_of(request) for request in requests if _waits(request)}
    if not queues:
        return {}
    workers = list(worker_processes.heard_of(at=at))
    return {name: line for name in queues if (line := _line(name, workers))}


def line_of(request: GenerationRequest, told: dict[str, str]) -> str:
    """The line of the request's queue among `lines`; empty where a worker is ready."""
    return told.get(_queue_of(request), "") if _waits(request) else ""


def _waits(request: GenerationRequest) -> bool:
    waiting = (RequestStatus.SUBMITTED, RequestStatus.QUEUED)
    return request.status in waiting and not request.is_held


def _queue_of(request: GenerationRequest) -> str:
    if request.status == RequestStatus.SUBMITTED:
        return SCREENING_QUEUE
    return hardware_queues.queue_of_request(request)


def _line(name: str, workers: Iterable[Worker]) -> str:
    mine = [worker for worker in workers if name in worker.queues]
    if any(worker.slots for worker in mine):
        return ""
    if not mine:
        return NOBODY if name == SCREENING_QUEUE else NO_RENDERER
    first = max(mine, key=lambda worker: int(worker.vitals.get("loaded", 0)))
    loaded, parts = first.vitals.get("loaded", 0), first.vitals.get("parts", 0)
    return f"Models are loading: {loaded} of {parts} parts are ready"
