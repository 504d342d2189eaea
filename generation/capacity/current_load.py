"""What the house can carry: workers, the line, waits and costs of the last minutes."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import mean, quantiles

from django.conf import settings
from django.db.models import Count, F, Q

from adapters.models import BaseModel
from generation.capacity import estimates
from generation.hardware import hardware_queues, worker_processes
from generation.models import (
    ACTIVE,
    SWEEP,
    GenerationRequest,
    Occurrence,
    RequestStatus,
    Worker,
)
from generation.request_rules import priority_classes

WINDOW = timedelta(minutes=15)
SAMPLE = 2000
LOAD_AIMED_AT = 0.7  # above it, waits grow faster than the load


@dataclass(frozen=True, slots=True)
class TierLoad:
    """`waits_s` is predicted, for each queue that renders; the percentiles are of requests that
    began in the window, None when none did."""

    name: str
    waiting: int
    running: int
    waits_s: dict[str, float]
    budget_s: float
    wait_p50_s: float | None
    wait_p95_s: float | None


@dataclass(frozen=True, slots=True)
class ModelCost:
    """Device milliseconds an image of the window, and its price where the operator named one."""

    name: str
    images: int
    device_ms_p50: float
    device_ms_p95: float
    price: str


@dataclass(frozen=True, slots=True)
class LiveWorker:
    """`slot_hits` of `slot_uses` adapters were in a slot already when a request came for them;
    the figures of the engine are None where it has done nothing yet, or where there is none."""

    name: str
    queues: str
    slots: int
    seen_at: datetime
    adapter_slots: int
    adapters_resident: int
    slot_hits: int
    slot_uses: int
    hit_rate_percent: float | None
    rows_a_forward: float | None
    clock_skew_s: float


@dataclass(frozen=True, slots=True)
class Need:
    """Devices that `times` the present load asks for at the load that is aimed at."""

    times: int
    images_a_minute: float
    devices: int


@dataclass(frozen=True, slots=True)
class Capacity:
    """`swept_s_ago` is how long ago beat's sweep was last done, None before the first.
    `devices` are workers with a slot; `needs` is empty while nothing finished in the window."""

    tiers: tuple[TierLoad, ...]
    workers: tuple[LiveWorker, ...]
    models: tuple[ModelCost, ...]
    devices: int
    images_a_minute: float
    needs: tuple[Need, ...]
    swept_s_ago: float | None


def look(*, at: datetime) -> Capacity:
    """The house at that time, its rates and costs from the 15 minutes before."""
    finished = _finished(at=at)
    a_minute = len(finished) / (WINDOW.total_seconds() / 60)
    costs = [device_ms for _, device_ms in finished]
    return Capacity(
        tiers=tuple(_tier(name, at=at) for name in priority_classes.NAMES),
        workers=_workers(at=at),
        models=_models(finished),
        devices=worker_processes.alive(*hardware_queues.queues(), at=at).count(),
        images_a_minute=round(a_minute, 1),
        needs=tuple(_need(times, a_minute, costs) for times in (1, 2, 10)) if costs else (),
        swept_s_ago=swept_s_ago(at=at),
    )


def swept_s_ago(*, at: datetime) -> float | None:
    """How long ago beat's sweep was last done; None before the first."""
    swept = Occurrence.objects.filter(name=SWEEP).first()
    return None if swept is None else (at - swept.at).total_seconds()


def _finished(*, at: datetime) -> list[tuple[str, int]]:
    """Model and device time of each image of the window; several of one request share its time.
    Model by model, as the index is."""
    ended = GenerationRequest.objects.filter(
        model__in=list(BaseModel.objects.values_list("pk", flat=True)),
        status=RequestStatus.FINISHED,
        ended_at__gt=at - WINDOW,
        device_ms__isnull=False,
    )
    rows = ended.values_list("model__name", "device_ms", "made")[:SAMPLE]
    return [
        (name, round((device_ms or 0) / max(made, 1)))
        for name, device_ms, made in rows
        for _ in range(max(made, 1))
    ]


def _tier(name: str, *, at: datetime) -> TierLoad:
    priority = priority_classes.PRIORITIES[name]
    mine = GenerationRequest.objects.filter(priority=priority)
    counts = mine.filter(status__in=ACTIVE).aggregate(
        waiting=Count("id", filter=Q(status__in=("submitted", "queued"), is_held=False)),
        running=Count("id", filter=Q(status=RequestStatus.RUNNING)),
    )
    began = mine.filter(started_at__gt=at - WINDOW, queued_at__isnull=False)
    waits = [
        wait.total_seconds()
        for wait in began.values_list(F("started_at") - F("queued_at"), flat=True)[:SAMPLE]
    ]
    return TierLoad(
        name=name,
        waiting=counts["waiting"],
        running=counts["running"],
        waits_s=_waits(priority, at=at),
        budget_s=settings.PROOFSHEET_WAIT_BUDGETS_S[name],
        wait_p50_s=percentile(waits, 50) if waits else None,
        wait_p95_s=percentile(waits, 95) if waits else None,
    )


def _waits(priority: int, *, at: datetime) -> dict[str, float]:
    return {
        name: round(estimates.wait_s(name, priority=priority, at=at), 1)
        for name in hardware_queues.queues()
    }


def percentile(values: list[float], percent: int) -> float:
    """Between the two nearest values; `values` is not empty."""
    if len(values) == 1:
        return round(values[0], 2)
    return round(quantiles(values, n=100, method="inclusive")[percent - 1], 2)


def _workers(*, at: datetime) -> tuple[LiveWorker, ...]:
    live = worker_processes.heard_of(at=at).order_by("name")
    return tuple(_live(worker) for worker in live)


def _live(worker: Worker) -> LiveWorker:
    told = Counter(worker.vitals)
    hits, uses = told["slot_hits"], told["slot_hits"] + told["slot_misses"]
    return LiveWorker(
        name=worker.name,
        queues=", ".join(worker.queues),
        slots=worker.slots,
        seen_at=worker.seen_at,
        adapter_slots=told["adapter_slots"],
        adapters_resident=told["adapters_resident"],
        slot_hits=hits,
        slot_uses=uses,
        hit_rate_percent=round(100 * hits / uses, 1) if uses else None,
        rows_a_forward=round(told["rows"] / told["forwards"], 1) if told["forwards"] else None,
        clock_skew_s=told["clock_skew_ms"] / 1000,
    )


def _models(finished: list[tuple[str, int]]) -> tuple[ModelCost, ...]:
    by_model: dict[str, list[float]] = {}
    for name, device_ms in finished:
        by_model.setdefault(name, []).append(device_ms)
    return tuple(
        ModelCost(
            name, len(spent), percentile(spent, 50), percentile(spent, 95), _price(mean(spent))
        )
        for name, spent in sorted(by_model.items())
    )


def _price(device_ms: float) -> str:
    """Of a thousand images, by DEVICE_HOUR_PRICE ("2.50 EUR"); empty when it names none."""
    amount, _, currency = settings.PROOFSHEET_DEVICE_HOUR_PRICE.partition(" ")
    try:
        return f"{float(amount) * device_ms / 3600:.2f} {currency}".strip() if amount else ""
    except ValueError:
        return ""


def _need(times: int, images_a_minute: float, costs: list[int]) -> Need:
    busy = images_a_minute * times * mean(costs) / 60_000
    return Need(times, round(images_a_minute * times, 1), max(1, math.ceil(busy / LOAD_AIMED_AT)))
