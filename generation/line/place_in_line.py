"""Where in the line a request stands."""

from __future__ import annotations

from django.db.models import Count, Q

from generation.hardware import hardware_queues
from generation.line import tickets
from generation.models import GenerationRequest, RequestStatus


def position(request: GenerationRequest) -> int | None:
    """Place in the line from 1, or None when it does not wait for a worker.

    Projects take turns: behind k own requests, at most k + 1 of each other project come first.
    """
    if request.status != RequestStatus.QUEUED or request.queued_at is None:
        return None
    name = hardware_queues.queue_of_request(request)
    waiting = tickets.waiting().filter(hardware_queues.waiting_in(name))
    first = waiting.filter(priority__gt=request.priority).count()
    line = waiting.filter(priority=request.priority)
    own = line.filter(
        Q(turn_ms__lt=request.turn_ms)
        | Q(turn_ms=request.turn_ms, queued_at__lt=request.queued_at),
        project=request.project_id,
    ).count()
    others = (
        line.exclude(project=request.project_id)
        .values("project")
        .annotate(earlier=Count("id", filter=Q(queued_at__lt=request.queued_at)), count=Count("id"))
        .values_list("earlier", "count")
    )
    # Who came later stands behind this turn; who was there before has a turn first.
    before = sum(min(count, own + (1 if earlier else 0)) for earlier, count in others)
    return first + own + before + 1
