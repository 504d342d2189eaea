"""What the database knows of the house, asked when the site's `/metrics` is scraped.

Every web process tells the same, so one of them is asked, through whatever balances them. What a
process counts by itself is on its own port, in the default registry: neither tells what the other
does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from django.db import InterfaceError, OperationalError
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

HOUSE = CollectorRegistry()
Families = Callable[[], Iterable[GaugeMetricFamily]]


class _Asked(Collector):
    """With the database away it tells nothing; others are still told."""

    def __init__(self, families: Families) -> None:
        self._families = families

    def describe(self) -> list[GaugeMetricFamily]:
        return []  # nothing is read from the database before the first scrape

    def collect(self) -> Iterator[GaugeMetricFamily]:
        try:
            yield from list(self._families())
        except (OperationalError, InterfaceError):
            return


def register(families: Families) -> None:
    """Once a process, before its first scrape."""
    HOUSE.register(_Asked(families))


def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    """Without its values; `proofsheet_` goes before its name."""
    return GaugeMetricFamily(f"proofsheet_{name}", text, labels=labels)


def one(name: str, text: str, value: float) -> GaugeMetricFamily:
    """A gauge that has no labels."""
    return GaugeMetricFamily(f"proofsheet_{name}", text, value=value)
