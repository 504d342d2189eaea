"""What a request will cost and how long it will wait, from what the last ones took."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from statistics import median

from django.db.models import Count, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from adapters.models import BaseModel
from generation import fleet, tiers
from generation.models import GenerationRequest, RequestStatus

SAMPLE = 40
UNKNOWN = tiers.Speed(row_step_ms=100.0, fixed_ms=300.0)  # until a model has made its first image
FIXED_STAGES = ("adapters_ms", "preview_ms", "decode_ms")


@dataclass(frozen=True, slots=True)
class Estimate:
    """`device_ms` for the image itself, `wait_s` until a worker begins it."""

    device_ms: int
    wait_s: float
    tier: str
    is_accepted: bool


def speed_of(model: BaseModel) -> tiers.Speed:
    """Medians over the model's last finished requests."""
    finished = GenerationRequest.objects.filter(model=model, status=RequestStatus.FINISHED)
    rows = [
        (timings, steps * tiers.rows(guidance))
        for timings, steps, guidance in finished.order_by("-ended_at").values_list(
            "timings", "steps", "guidance"
        )[:SAMPLE]
        if "denoise_ms" in timings
    ]
    if not rows:
        return UNKNOWN
    return tiers.Speed(
        row_step_ms=median(timings["denoise_ms"] / row_steps for timings, row_steps in rows),
        fixed_ms=median(
            sum(timings.get(stage, 0.0) for stage in FIXED_STAGES) for timings, _ in rows
        ),
    )


def cost_ms(model: BaseModel, *, steps: int, guidance: float) -> int:
    return tiers.predicted_ms(speed_of(model), steps=steps, guidance=guidance)


def capacity(*, at: datetime) -> int:
    """Devices that work, at least one: with no worker alive, the next one to come is counted."""
    return max(1, fleet.alive("gpu", at=at).count())


def backlog_ms(*, priority: int) -> int:
    """Predicted device time of all that is served before a new request of this priority."""
    ahead = Q(status=RequestStatus.RUNNING) | Q(
        status__in=(RequestStatus.SUBMITTED, RequestStatus.QUEUED), priority__gte=priority
    )
    total: int = GenerationRequest.objects.filter(ahead, is_held=False).aggregate(
        total=Coalesce(Sum("predicted_ms"), 0)
    )["total"]
    return total


def wait_s(*, priority: int, at: datetime) -> float:
    """Predicted wait of a new request: the backlog over the devices that share it."""
    return backlog_ms(priority=priority) / 1000 / capacity(at=at)


def _ahead(request: GenerationRequest) -> QuerySet[GenerationRequest]:
    waiting = GenerationRequest.objects.filter(status=RequestStatus.QUEUED)
    return waiting.filter(priority=request.priority, queued_at__lt=request.queued_at)


def position(request: GenerationRequest) -> int | None:
    """Place in the line from 1, or None when it does not wait for a worker.

    Users take turns: behind k own requests, at most k + 1 of each other user come first.
    """
    if request.status != RequestStatus.QUEUED or request.queued_at is None:
        return None
    own = _ahead(request).filter(owner=request.owner_id).count()
    waiting = GenerationRequest.objects.filter(status=RequestStatus.QUEUED)
    first = waiting.filter(priority__gt=request.priority).count()
    others = (
        waiting.filter(priority=request.priority)
        .exclude(owner=request.owner_id)
        .values("owner")
        .annotate(earlier=Count("id", filter=Q(queued_at__lt=request.queued_at)), count=Count("id"))
        .values_list("earlier", "count")
    )
    # A user who came later stands behind this turn; one who was there before has a turn first.
    before = sum(min(count, own + (1 if earlier else 0)) for earlier, count in others)
    return first + own + before + 1
