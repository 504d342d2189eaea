"""What a request will cost and how long it will wait, from what the last ones took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median
from typing import Any

from django.db import connection

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
