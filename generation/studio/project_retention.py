"""What a project keeps for a while only is deleted when that is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from config.core.holds import asking
from config.core.projects.models import Project
from generation.gallery import own_images
from generation.models import GenerationRequest
from generation.studio import own_requests

AT_ONCE = 500


def expire(*, at: datetime) -> int:
    """Delete requests, pictures and texts that ended longer ago than their project keeps them; how
    many. What waits for a person is left until that is decided."""
    return sum(
        _erase(request.pk, at=at)
        for over in _over(at)
        for request in over.order_by("ended_at").only("pk")[:AT_ONCE]
    )


def due(*, at: datetime) -> int:
    """How many would go."""
    return sum(over.count() for over in _over(at))


def _over(at: datetime) -> Iterator[QuerySet[GenerationRequest]]:
    """Of each project that says for how long, and of all others where the house does."""
    there = GenerationRequest.objects.filter(deleted_at=None, is_live=False)
    ended = asking.without_held(there, at=at, **own_requests.HELD_BY)
    for project in Project.objects.exclude(retention_days=None):
        until = at - timedelta(days=project.retention_days or 0)
        yield ended.filter(project=project, ended_at__lt=until)
    if (days := settings.PROOFSHEET_IMAGES_KEPT_DAYS) > 0:
        until = at - timedelta(days=days)
        yield ended.filter(project__retention_days=None, ended_at__lt=until)


@transaction.atomic
def _erase(request_id: UUID, *, at: datetime) -> bool:
    rows = GenerationRequest.objects.select_for_update(of=("self",))
    request = rows.filter(pk=request_id, deleted_at=None).first()
    if request is None or request.is_active:
        return False
    try:
        with transaction.atomic():
            own_requests.erase(request, at=at)
    except (own_images.UnderReview, asking.UnderHold):
        return False
    return True
