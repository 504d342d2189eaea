"""What a project keeps for a while only is deleted when that is over."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from config.core.projects.models import Project
from generation.gallery import own_images
from generation.models import GenerationRequest
from generation.studio import own_requests

AT_ONCE = 500


def expire(*, at: datetime) -> int:
    """Delete requests, pictures and texts that ended longer ago than their project keeps them; how
    many. What waits for a person is left until that is decided."""
    return sum(_expire(project, at=at) for project in Project.objects.exclude(retention_days=None))


def _expire(project: Project, *, at: datetime) -> int:
    until = at - timedelta(days=project.retention_days or 0)
    over = GenerationRequest.objects.filter(
        project=project, ended_at__lt=until, deleted_at=None
    ).order_by("ended_at")
    return sum(_erase(request.pk, at=at) for request in over.only("pk")[:AT_ONCE])


@transaction.atomic
def _erase(request_id: UUID, *, at: datetime) -> bool:
    rows = GenerationRequest.objects.select_for_update(of=("self",))
    request = rows.filter(pk=request_id, deleted_at=None).first()
    if request is None or request.is_active:
        return False
    try:
        with transaction.atomic():
            own_requests.erase(request, at=at)
    except own_images.UnderReview:
        return False
    return True
