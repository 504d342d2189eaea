"""What the engines of this worker hold and have done, told on its own port."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from generation.hardware import devices


class EngineCollector(Collector):
    """Read from the engines when it is scraped; one that was dropped takes its counts along, which
    Prometheus takes for a restart."""

    def collect(self) -> Iterator[GaugeMetricFamily | CounterMetricFamily]:
        told = Counter(devices.vitals())
        slots = GaugeMetricFamily(
            "proofsheet_adapter_slots", "Of this worker's engines.", labels=("state",)
        )
        slots.add_metric(["resident"], told["adapters_resident"])
        slots.add_metric(["all"], told["adapter_slots"])
        uses = CounterMetricFamily(
            "proofsheet_adapter_slot_uses",
            "Adapters that a request came for, and whether a slot held them already.",
            labels=("outcome",),
        )
        uses.add_metric(["hit"], told["slot_hits"])
        uses.add_metric(["miss"], told["slot_misses"])
        yield from (slots, uses)
        for name, text in (
            ("forwards", "Forwards through a model."),
            ("rows", "Rows of all forwards: over the forwards, the mean batch."),
        ):
            yield CounterMetricFamily(f"proofsheet_engine_{name}", text, value=told[name])


def register() -> None:
    """Once in a render worker."""
    REGISTRY.register(EngineCollector())
