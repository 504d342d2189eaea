"""Prometheus metrics of the line, read from the database when they are scraped.

`proofsheet_demand_device_seconds` is the signal to scale render workers by.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Min
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from config.core.watching.house_gauges import gauge, one
from generation.capacity import current_load, demand
from generation.line import tickets


def families() -> Iterator[GaugeMetricFamily]:
    """As of now."""
    at = timezone.now()
    now = current_load.look(at=at)
    yield from _of_tiers(now)
    wanted = gauge("demand_device_seconds", "Predicted for all that is not drawn.", "queue")
    for queue, seconds in demand.device_s().items():
        wanted.add_metric([queue], seconds)
    yield wanted
    first = tickets.waiting().aggregate(first=Min("queued_at"))["first"]
    waits_s = (at - first).total_seconds() if first else 0.0
    yield one("oldest_wait_seconds", "Of the request that waits longest for a worker.", waits_s)
    yield one("render_workers", "Render workers alive.", now.devices)
    swept = gauge("swept_seconds_ago", "Since beat's sweep was last done; every 10 s.")
    if now.swept_s_ago is not None:
        swept.add_metric([], now.swept_s_ago)
    yield swept
    skew = gauge("clock_skew_seconds", "A worker's clock ahead of the database's.", "worker")
    for worker in now.workers:
        skew.add_metric([worker.name], worker.clock_skew_s)
    yield skew


def _of_tiers(now: current_load.Capacity) -> Iterator[GaugeMetricFamily]:
    waiting = gauge("requests_waiting", "Requests that wait for a worker.", "tier")
    predicted = gauge("predicted_wait_seconds", "Of a request that came now.", "tier", "queue")
    for tier in now.tiers:
        waiting.add_metric([tier.name], tier.waiting)
        for queue, wait_s in tier.waits_s.items():
            predicted.add_metric([tier.name, queue], wait_s)
    yield from (waiting, predicted)
