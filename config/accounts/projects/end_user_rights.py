"""Whom a project serves: finding one, and what the law gives them: a copy, and erasure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from config.accounts.projects import administering
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.holds.models import HeldKind
from config.core.pages import uuid_of
from config.core.projects import end_users
from config.core.projects.models import EndUser, Project
from generation.models import GeneratedImage, GenerationRequest, SourcePicture
from generation.studio import own_requests
from moderation.account_status import erasing
from moderation.models import Appeal, Statement, Suspension

Role = administering.Role


class EndUserNotFound(ProofsheetError):
    """Nobody whom this project serves."""

    default_code = "end_user_not_found"
    default_message = "The project serves nobody of that id."
    default_advice = "Ask with the id exactly as your product sends it."
    default_status = 404


class StillWaits(ProofsheetError):
    """Something of theirs is on its way or waits for a person."""

    default_code = "end_user_still_waits"
    default_message = "Something of this person is still on its way, or a person is to look at it."
    default_advice = "Cancel what runs; erase again once review and appeal are decided."
    default_status = 409


def found(project: Project, *, claimed: str = "", standing: str = "") -> QuerySet[EndUser]:
    """Those whom the project serves, last seen first; `claimed` is an id as the product says it,
    or the id that is shown here."""
    rows = EndUser.objects.filter(project=project, erased_at=None)
    if standing:
        rows = rows.filter(standing=standing)
    if claimed:
        named = rows.filter(ref=end_users.ref_of(project, claimed))
        rows = named if named.exists() else rows.filter(pk__in=_ids(claimed))
    return rows.order_by("-last_seen_at", "id")


def find(end_user_id: UUID, *, project: Project) -> EndUser:
    """Raises EndUserNotFound."""
    row = EndUser.objects.filter(project=project, pk=end_user_id).first()
    if row is None:
        raise EndUserNotFound
    return row


def export(row: EndUser) -> dict[str, Any]:
    """All that is kept about somebody (GDPR Art. 15 and 20), without whom it was decided by."""
    requests = GenerationRequest.objects.filter(end_user=row).order_by("created_at")
    images = GeneratedImage.objects.filter(end_user=row).order_by("created_at")
    statements = Statement.objects.filter(end_user=row).order_by("created_at")
    appeals = Appeal.objects.filter(end_user=row, report=None).order_by("lodged_at")
    uploads = SourcePicture.objects.filter(request__end_user=row, image=None).order_by("id")
    suspensions = Suspension.objects.filter(end_user=row).order_by("began_at")
    told = ("id", "created_at", "status", "code", "prompt", "negative_prompt", "width", "height")
    return {
        "end_user": str(row.pk),
        "standing": row.standing,
        "suspended_until": row.suspended_until,
        "first_seen_at": row.first_seen_at,
        "last_seen_at": row.last_seen_at,
        "requests": list(requests.values(*told)),
        "images": list(images.values("id", "request_id", "created_at", "state", "sha256")),
        "uploads": list(uploads.values("request_id", "state", "sha256", "width", "height")),
        "statements": list(statements.values("id", "decision_id", "created_at", "fields")),
        "appeals": list(appeals.values("id", "lodged_at", "status", "grounds", "reasons")),
        "suspensions": list(suspensions.values("began_at", "ends_at", "lifted_at")),
    }


@transaction.atomic
def erase(end_user_id: UUID, *, project_id: UUID, by: User, at: datetime) -> EndUser:
    """Delete pictures and texts, and forget who it was (GDPR Art. 17). What was decided, when and
    by which rule stays, of nobody. Who is suspended stays known by the digest alone until then.

    Raises NoSuchProject, RoleTooLow, EndUserNotFound, StillWaits, asking.UnderHold.
    """
    project, _ = administering.find(project_id, by=by, needs=Role.DEVELOPER)
    row = find(end_user_id, project=project)
    asking.require_free({HeldKind.PROJECT: [project.pk], HeldKind.END_USER: [row.pk]}, at=at)
    row = EndUser.objects.select_for_update().get(pk=row.pk)
    unheard = (Appeal.Status.LODGED, Appeal.Status.HEARD)
    if Appeal.objects.filter(end_user=row, report=None, status__in=unheard).exists():
        raise StillWaits
    for request in _requests_of(row):
        if request.is_active:
            raise StillWaits
        own_requests.erase(request, at=at)
    erasing.erase_words_of_end_user(row.pk, at=at)
    if not row.is_suspended(at=at):
        row.ref = ""
    row.erased_at = at
    row.save(update_fields=["ref", "erased_at"])
    return row


def _requests_of(row: EndUser) -> Iterator[GenerationRequest]:
    rows = GenerationRequest.objects.select_for_update(of=("self",))
    yield from rows.filter(end_user=row, deleted_at=None).order_by("id")


def _ids(text: str) -> list[UUID]:
    found = uuid_of(text)
    return [found] if found else []
