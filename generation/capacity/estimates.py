"""What a request will cost and how long it will wait, from what the last ones took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from adapters.models import BaseModel
from config.core.ttl_cache import remembered
from generation.hardware import hardware_queues, worker_processes
from generation.models import ACTIVE, GenerationRequest, RequestStatus
from generation.request_rules import priority_classes
from generation.request_rules.parameters import taken_steps

SAMPLE = 40
UNKNOWN = priority_classes.Speed(
    row_step_ms=100.0, fixed_ms=300.0
)  # until a model has made its first image
FIXED_STAGES = ("adapters_ms", "decode_ms")


@dataclass(frozen=True, slots=True)
class Estimate:
    """`device_ms` for the image itself, `wait_s` until a worker begins it."""

    device_ms: int
    wait_s: float
    tier: str
    is_accepted: bool

    @property
    def device_s(self) -> float:
        return round(self.device_ms / 1000, 1)


def speed_of(model: BaseModel) -> priority_classes.Speed:
    """Medians over the model's last finished requests, a moment old."""
    return _speed(model.pk)


@remembered
def _speed(model_id: int) -> priority_classes.Speed:
    finished = GenerationRequest.objects.filter(model=model_id, status=RequestStatus.FINISHED)
    rows = [
        (timings, max(made, 1), taken_steps(steps, strength) * priority_classes.rows(guidance))
        for timings, made, steps, guidance, strength in finished.order_by("-ended_at").values_list(
            "timings", "made", "steps", "guidance", "source__strength"
        )[:SAMPLE]
        if "denoise_ms" in timings
    ]
    if not rows:
        return UNKNOWN
    return priority_classes.Speed(
        row_step_ms=median(timings["denoise_ms"] / made / steps for timings, made, steps in rows),
        fixed_ms=median(
            sum(timings.get(stage, 0.0) for stage in FIXED_STAGES) / made
            for timings, made, _ in rows
        ),
    )


def cost_ms(model: BaseModel, *, steps: int, guidance: float) -> int:
    """Device milliseconds predicted for one image, from what the model's last ones took."""
    return priority_classes.predicted_ms(speed_of(model), steps=steps, guidance=guidance)


# Asked at every submission, like `admission`'s own query, and written out for the same reason.
_BACKLOG = """
    SELECT coalesce(sum(predicted_ms), 0) FROM generation_generationrequest
    WHERE status = ANY(%(active)s) AND NOT is_held AND cancel_requested_at IS NULL
        AND (status = %(running)s OR priority >= %(priority)s)
        AND (%(models)s::bigint[] IS NULL OR model_id = ANY(%(models)s))
"""


def backlog_ms(queue: str, *, priority: int) -> int:
    """Predicted device time of all that is served before a new request of this priority; what is
    being cancelled is gone at its next step."""
    asked: dict[str, Any] = {
        "active": [str(status) for status in ACTIVE],
        "running": str(RequestStatus.RUNNING),
        "priority": priority,
        "models": hardware_queues.models_of(queue),
    }
    with connection.cursor() as cursor:
        cursor.execute(_BACKLOG, asked)
        return int(cursor.fetchone()[0])


def wait_s(queue: str, *, priority: int, at: datetime) -> float:
    """Predicted wait of a new request: the backlog over the devices that share it."""
    return backlog_ms(queue, priority=priority) / 1000 / worker_processes.devices(queue, at=at)


def position(request: GenerationRequest) -> int | None:
    """Place in the line from 1, or None when it does not wait for a worker.

    Projects take turns: behind k own requests, at most k + 1 of each other project come first.
    """
    if request.status != RequestStatus.QUEUED or request.queued_at is None:
        return None
    name = hardware_queues.queue_of_request(request)
    waiting = GenerationRequest.objects.filter(
        hardware_queues.waiting_in(name), status=RequestStatus.QUEUED
    )
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
