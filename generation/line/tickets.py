"""Messages that say there is work; what waits is in the database."""

from __future__ import annotations

from django.db.models import QuerySet

from config.core import events
from generation.hardware import hardware_queues
from generation.models import GenerationRequest, RequestStatus

SCREENING_QUEUE = "cpu"


def waiting() -> QuerySet[GenerationRequest]:
    """What waits for a render worker."""
    return GenerationRequest.objects.filter(status=RequestStatus.QUEUED)


def send(name: str) -> None:
    """Wake a worker of that queue once the current transaction commits; the sweeper covers a lost
    ticket."""
    events.send("generation.tasks.render", queue=name)


def send_for(request: GenerationRequest) -> None:
    """`send` to the queue of the request's model."""
    send(hardware_queues.queue_of_request(request))


def call_waiting(name: str) -> bool:
    """Wake a worker for a request that waits in that queue, if there is one."""
    if not waiting().filter(hardware_queues.waiting_in(name)).exists():
        return False
    send(name)
    return True
