"""Prometheus metrics of what waits for people: how much, and what is past its time."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from config.core.watching.house_gauges import gauge, one
from moderation.models import Appeal, ReviewCase


def families() -> Iterator[GaugeMetricFamily]:
    """As of now, of appeals that nobody heard and cases that nobody decided."""
    at = timezone.now()
    lodged = Appeal.objects.filter(status=Appeal.Status.LODGED)
    undecided = ReviewCase.objects.exclude(status=ReviewCase.Status.DECIDED)
    for name, rows in (("appeals", lodged), ("cases", undecided)):
        first = rows.aggregate(first=Min("due_at"))["first"]
        yield one(f"{name}_waiting", f"{name.title()} that wait for a person.", rows.count())
        overdue = rows.filter(due_at__lt=at).count()
        yield one(f"{name}_overdue", f"{name.title()} whose time is over.", overdue)
        left = gauge(f"{name}_seconds_left", "Of the one that is due first.")
        if first is not None:
            left.add_metric([], (first - at).total_seconds())
        yield left
