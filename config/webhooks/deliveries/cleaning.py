"""How long the log of deliveries is kept, and the row of an endpoint that was deleted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import models, transaction

from config.core.holds import asking
from config.webhooks.models import Delivery, Endpoint

KEPT = timedelta(days=30)
DELETED_KEPT = timedelta(days=1)
_BATCH = 5000


def forget(*, at: datetime) -> int:
    """Delete the oldest of what was written longer ago than it is kept, and what went to endpoints
    that were deleted a day ago: how many, at most so many as are deleted in one go."""
    deleted, old, gone = _over(at)
    count = _delete(old) + _delete(gone)
    for endpoint in deleted.filter(deliveries=None)[:_BATCH]:
        endpoint.delete()
    return count


def due(*, at: datetime) -> int:
    """How many would go."""
    _, old, gone = _over(at)
    return (old | gone).count()


def _over(
    at: datetime,
) -> tuple[models.QuerySet[Endpoint], models.QuerySet[Delivery], models.QuerySet[Delivery]]:
    """Endpoints that were deleted, deliveries that are old, and what went to the former."""
    deleted = Endpoint.objects.filter(
        off_because=Endpoint.OffBecause.DELETED, off_at__lt=at - DELETED_KEPT
    )
    deleted = asking.without_held(deleted, at=at, project="project")
    old = Delivery.objects.filter(written_at__lt=at - KEPT)
    old = asking.without_held(old, at=at, project="endpoint__project")
    return deleted, old, Delivery.objects.filter(endpoint__in=deleted)


@transaction.atomic
def _delete(rows: models.QuerySet[Delivery]) -> int:
    """Under their locks, so that nobody notes an attempt at what is just going."""
    mine = rows.select_for_update(of=("self",), skip_locked=True).order_by("written_at")
    found = list(mine.values_list("id", flat=True)[:_BATCH])
    Delivery.objects.filter(id__in=found).delete()
    return len(found)
