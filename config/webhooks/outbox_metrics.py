"""Prometheus metrics of what leaves the house: what waits, how late it is, what was given up."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Min, QuerySet
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from config.core.outbox.models import OutboxRow
from config.core.watching.house_gauges import gauge, one
from config.webhooks.models import Delivery, Endpoint


def families() -> list[GaugeMetricFamily]:
    """As of now."""
    at = timezone.now()
    mails = OutboxRow.objects.filter(gave_up_at=None)
    events = Delivery.objects.filter(state=Delivery.State.WAITING, endpoint__off_at=None)
    waiting = gauge("outbox_waiting", "What waits to be sent.", "kind")
    late = gauge("outbox_late_seconds", "Of the one that is due the longest.", "kind")
    awake = events.filter(endpoint__failures=0)  # the others wait for their own endpoint
    for kind, rows, timely in (("mail", mails, mails), ("webhook", events, awake)):
        waiting.add_metric([kind], rows.count())
        late.add_metric([kind], _lateness_s(timely, at=at))
    lost = OutboxRow.objects.filter(gave_up_at__isnull=False).count()
    failing = Endpoint.objects.filter(off_at=None, failures__gt=0).count()
    return [
        waiting,
        late,
        one("outbox_given_up", "Mails that failed for two days and are kept.", lost),
        one("outbox_endpoints_failing", "Webhook endpoints that are on and fail.", failing),
    ]


def _lateness_s(rows: QuerySet[Any], *, at: datetime) -> float:
    first = rows.filter(due_at__lte=at).aggregate(first=Min("due_at"))["first"]
    return (at - first).total_seconds() if first else 0.0
