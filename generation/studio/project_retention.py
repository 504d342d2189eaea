"""What a project keeps for a while only is deleted when that is over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from config.core import retention
from config.core.holds import asking
from config.core.holds.models import HeldKind
from config.core.projects.models import Project
from generation.gallery import own_images
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    SourcePicture,
    SourceState,
)
from generation.studio import own_requests


def expire(*, at: datetime) -> int:
    """Delete requests, pictures and texts that ended longer ago than their project keeps them; how
    many. What waits for a person is left until that is decided."""
    return sum(_erase(found, at=at) for over in _over(at) for found in _in_turn(over))


def _in_turn(over: QuerySet[GenerationRequest]) -> Iterator[UUID]:
    """Some at a time and each once: one that stays after all is in nobody's way."""
    left = over.order_by("ended_at", "pk")
    for _ in range(retention.BATCHES_AT_ONCE):
        found = list(left.values_list("ended_at", "pk")[: retention.BATCH])
        yield from (pk for _, pk in found)
        if len(found) < retention.BATCH:
            return
        ended_at, pk = found[-1]
        left = left.filter(Q(ended_at__gt=ended_at) | Q(ended_at=ended_at, pk__gt=pk))


def due(*, at: datetime) -> int:
    """How many would go."""
    return sum(over.count() for over in _over(at))


def _over(at: datetime) -> Iterator[QuerySet[GenerationRequest]]:
    """Of each project that says for how long, and of all others where the house does."""
    there = GenerationRequest.objects.filter(deleted_at=None, is_live=False)
    images = GeneratedImage.objects.filter(request=OuterRef("pk"), deleted_at=None)
    sources = SourcePicture.objects.filter(request=OuterRef("pk"), state=SourceState.HELD)
    held = [UUID(thing) for thing in asking.standing(at=at)[HeldKind.THING]]
    stay = images.filter(Q(state=ImageState.HELD) | Q(pk__in=held))
    ended = asking.without_held(there, at=at, **own_requests.HELD_BY).exclude(
        Exists(stay) | Exists(sources)
    )
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
