"""Prometheus metrics of the line and its cost, read from the database when they are scraped.

Every web process tells the same, because none of it is counted in a process.
`proofsheet_demand_device_seconds` is the signal to scale render workers by.
"""

from __future__ import annotations

from collections.abc import Iterator

from django.db import InterfaceError, OperationalError
from django.utils import timezone
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import REGISTRY, Collector

from generation.capacity import current_load, demand
from provenance.log import rollback


class LineCollector(Collector):
    """Asks the database at every scrape; while that is away it tells nothing."""

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # nothing is read from the database before the first scrape

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        try:
            now, lacking = current_load.look(at=timezone.now()), rollback.missing()
            demanded = demand.device_s()
        except (OperationalError, InterfaceError):
            return  # with the database away the other metrics are still told
        yield from _of_tiers(now)
        wanted = _gauge("demand_device_seconds", "Predicted for all that is not drawn.", "queue")
        for queue, seconds in demanded.items():
            wanted.add_metric([queue], seconds)
        yield wanted
        cost = _gauge("device_milliseconds_per_image", "Of the last minutes.", "model", "quantile")
        for model in now.models:
            cost.add_metric([model.name, "0.5"], model.device_ms_p50)
            cost.add_metric([model.name, "0.95"], model.device_ms_p95)
        yield cost
        workers = _gauge("render_workers", "Render workers alive.")
        workers.add_metric([], now.devices)
        yield workers
        if now.swept_s_ago is not None:
            swept = _gauge("swept_seconds_ago", "Since beat's sweep was last done; every 10 s.")
            swept.add_metric([], now.swept_s_ago)
            yield swept
        skew = _gauge("clock_skew_seconds", "A worker's clock ahead of the database's.", "worker")
        for worker in now.workers:
            skew.add_metric([worker.name], worker.clock_skew_s)
        yield skew
        yield from _of_slots(now)
        behind = _gauge("log_entries_missing", "That the log's key signed and the database lacks.")
        behind.add_metric([], lacking)
        yield behind


def _of_tiers(now: current_load.Capacity) -> Iterator[GaugeMetricFamily]:
    waiting = _gauge("requests_waiting", "Requests that wait for a worker.", "tier")
    predicted = _gauge("predicted_wait_seconds", "Of a request that came now.", "tier", "queue")
    waits = _gauge("queue_wait_seconds", "From queued to begun.", "tier", "quantile")
    for tier in now.tiers:
        waiting.add_metric([tier.name], tier.waiting)
        for queue, wait_s in tier.waits_s.items():
            predicted.add_metric([tier.name, queue], wait_s)
        for quantile, value in (("0.5", tier.wait_p50_s), ("0.95", tier.wait_p95_s)):
            if value is not None:
                waits.add_metric([tier.name, quantile], value)
    yield from (waiting, predicted, waits)


def _of_slots(now: current_load.Capacity) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
    slots = _gauge("adapter_slots", "Of a worker's engines.", "worker", "state")
    used = CounterMetricFamily(
        "proofsheet_adapter_slot_uses",
        "Adapters that a request came for, and whether a slot held them already.",
        labels=("worker", "outcome"),
    )
    batch = _gauge("rows_per_forward", "Mean batch since the worker started.", "worker")
    for worker in now.workers:
        if worker.adapter_slots:
            slots.add_metric([worker.name, "resident"], worker.adapters_resident)
            slots.add_metric([worker.name, "all"], worker.adapter_slots)
            used.add_metric([worker.name, "hit"], worker.slot_hits)
            used.add_metric([worker.name, "miss"], worker.slot_uses - worker.slot_hits)
        if worker.rows_a_forward is not None:
            batch.add_metric([worker.name], worker.rows_a_forward)
    yield from (slots, used, batch)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"proofsheet_{name}", text, labels=labels)


def register() -> None:
    """Once a process, before its first scrape."""
    REGISTRY.register(LineCollector())
