"""Prometheus metrics of what leaves the house: how much waits, how late it is, what was given up.

Read from the database when they are scraped, so every web process tells the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db import InterfaceError, OperationalError
from django.db.models import Min, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from config.core.outbox.models import OutboxRow
from config.webhooks.models import Delivery, Endpoint


class OutboxCollector(Collector):
    """Asks the database at every scrape; while that is away it tells nothing."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # nothing is read from the database before the first scrape

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from _families(timezone.now())
        except (OperationalError, InterfaceError):
            return  # with the database away the other metrics are still told


def _families(at: datetime) -> list[GaugeMetricFamily]:
    mails = OutboxRow.objects.filter(gave_up_at=None)
    events = Delivery.objects.filter(state=Delivery.State.WAITING, endpoint__off_at=None)
    waiting = _gauge("waiting", "What waits to be sent.", "kind")
    late = _gauge("late_seconds", "How long the one that is due the longest has been due.", "kind")
    awake = events.filter(endpoint__failures=0)  # the others wait for their own endpoint
    for kind, rows, timely in (("mail", mails, mails), ("webhook", events, awake)):
        waiting.add_metric([kind], rows.count())
        late.add_metric([kind], _lateness_s(timely, at=at))
    lost = _gauge("given_up", "Mails that failed for two days and are kept.")
    lost.add_metric([], OutboxRow.objects.filter(gave_up_at__isnull=False).count())
    failing = _gauge("endpoints_failing", "Webhook endpoints that are on and fail.")
    failing.add_metric([], Endpoint.objects.filter(off_at=None, failures__gt=0).count())
    return [waiting, late, lost, failing]


def _lateness_s(rows: QuerySet[Any], *, at: datetime) -> float:
    first = rows.filter(due_at__lte=at).aggregate(first=Min("due_at"))["first"]
    return (at - first).total_seconds() if first else 0.0


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"proofsheet_outbox_{name}", text, labels=labels)


def register() -> None:
    """Once a process, before its first scrape."""
    REGISTRY.register(OutboxCollector())
