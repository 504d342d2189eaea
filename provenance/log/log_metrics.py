"""Prometheus metrics of the log: what waits for its place, and how far each witness is."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily

from config.core.watching.house_gauges import gauge, one
from provenance.log import rollback
from provenance.models import Checkpoint, Cosignature, PendingEntry


def families() -> Iterator[GaugeMetricFamily]:
    """As of now. A witness is called as its verifier key names it."""
    at = timezone.now()
    waiting = PendingEntry.objects.order_by("entry_id")
    first = waiting.values_list("entry__at", flat=True).first()
    lag_s = max(0.0, (at - first).total_seconds()) if first else 0.0
    yield one("log_entries_pending", "That have no place in the tree yet.", waiting.count())
    yield one("log_lag_seconds", "Of the entry that waits longest for its place.", lag_s)
    text = "That the log's key signed and the database lacks."
    yield one("log_entries_missing", text, rollback.missing())
    newest = Checkpoint.objects.order_by("-tree_size").first()
    behind = gauge("log_witness_behind_entries", "That a witness did not cosign.", "witness")
    for row in Cosignature.objects.exclude(line=""):
        lacks = max(0, newest.tree_size - row.tree_size) if newest else 0
        behind.add_metric([row.witness.partition("+")[0]], lacks)
    yield behind
