"""How long the log of deliveries is kept."""

from __future__ import annotations

from datetime import datetime, timedelta

from config.webhooks.models import Delivery

KEPT = timedelta(days=30)
_BATCH = 5000


def forget(*, at: datetime) -> int:
    """Delete the oldest of what was written longer ago than it is kept: how many, at most so many
    as are deleted in one go."""
    old = Delivery.objects.filter(written_at__lt=at - KEPT).order_by("written_at")
    found = list(old.values_list("id", flat=True)[:_BATCH])
    Delivery.objects.filter(id__in=found).delete()
    return len(found)
