"""What a project takes out of its own: asked for, made by a worker, told of, fetched, cleared away.

The files are those that compliance takes out, of the project's rows alone.
"""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse

from config.core import events, ownership, retention
from config.core.errors import ProofsheetError
from config.core.holds import asking
from config.core.projects.models import Project
from config.core.storage import private_storage
from moderation.exports import archives, transparency_files
from moderation.models import Export

MOST_A_DAY = 20
LONGEST = timedelta(days=366)
KEPT = timedelta(days=30)
_LISTED = "Your projects are listed on their page."


class ExportNotFound(ProofsheetError):
    """Also what is told of another project's: whether there is one is its members' business."""

    default_code = "export_not_found"
    default_message = "There is no such export among your projects'."
    default_advice = f"An export can be fetched for {KEPT.days} days; ask for it again."
    default_status = 404


class ExportNotReady(ProofsheetError):
    """A worker is still at it."""

    default_code = "export_not_ready"
    default_message = "This export is still being made."
    default_advice = "The webhook event export.ready tells when it can be fetched."
    default_status = 409


class ExportTooLong(ProofsheetError):
    """A period of years is asked for in parts."""

    default_code = "export_too_long"
    default_message = f"An export holds {LONGEST.days} days at most."
    default_advice = "Ask for the period in parts."
    default_status = 422


class TooManyExports(ProofsheetError):
    """As many as a project may ask for in a day."""

    default_code = "too_many_exports"
    default_message = f"A project asks for {MOST_A_DAY} exports a day at most."
    default_advice = "Ask again tomorrow; those that were made can still be fetched."
    default_status = 429


def of_project(project_id: UUID, *, by: User) -> QuerySet[Export]:
    """A project's exports, newest first. Raises ExportNotFound for a project that is not one's."""
    if not ownership.projects_of(by).filter(pk=project_id).exists():
        raise ExportNotFound(message="There is no such project among yours.", advice=_LISTED)
    rows = Export.objects.filter(project=project_id).select_related("made_by")
    return rows.order_by("-made_at", "-id")


def may_ask(project_id: UUID, *, by: User) -> bool:
    """Whether the person acts in the project."""
    acting = ownership.projects_of(by, roles=ownership.ACTING)
    return acting.filter(pk=project_id).exists()


@transaction.atomic
def ask(project_id: UUID, kind: str, first: date, last: date, *, by: User, at: datetime) -> Export:
    """The row of what a worker then makes.

    Raises ExportNotFound, archives.KindUnknown, PeriodInvalid, ExportTooLong, TooManyExports.
    """
    acting = ownership.projects_of(by, roles=ownership.ACTING)
    project = Project.objects.select_for_update(no_key=True).filter(pk__in=acting.values("pk"))
    row = project.filter(pk=project_id).first()
    if row is None:
        raise ExportNotFound(message="There is no such project in which you act.", advice=_LISTED)
    if kind not in archives.FILES:
        raise archives.KindUnknown
    period = transparency_files.Period(first, last, row.pk)
    if period.last - period.first >= LONGEST:
        raise ExportTooLong
    if of_project(row.pk, by=by).filter(made_at__gt=at - timedelta(days=1)).count() >= MOST_A_DAY:
        raise TooManyExports
    made = Export.objects.create(
        project=row, kind=kind, first=first, last=last, made_by=by, made_at=at
    )
    events.mail("moderation.tasks.make_export", str(made.public_id))
    return made


def make(public_id: UUID, *, at: datetime) -> None:
    """Make an export's file and tell the project; again, it changes nothing. Raises
    Export.DoesNotExist."""
    row = Export.objects.get(public_id=public_id)
    if row.ready_at is not None:
        return
    period = transparency_files.Period(row.first, row.last, row.project_id)
    data = archives.packed_of(row.kind, period)
    storage = private_storage()
    name = storage.save(f"exports/{row.public_id}.zip", ContentFile(data))
    with transaction.atomic():
        held = Export.objects.select_for_update(of=("self",)).get(pk=row.pk)
        if held.ready_at is not None:  # somebody else took it meanwhile
            transaction.on_commit(lambda: storage.delete(name))
            return
        digest = hashlib.sha256(data).hexdigest()
        held.become_ready(file=name, sha256=digest, size_bytes=len(data), at=at)
        events.tell(held.project_id, "export.ready", lambda: _said(held))


def file_of(project_id: UUID, public_id: UUID, *, by: User) -> tuple[Export, bytes]:
    """Raises ExportNotFound, ExportNotReady."""
    row = of_project(project_id, by=by).filter(public_id=public_id).first()
    if row is None:
        raise ExportNotFound
    if row.ready_at is None:
        raise ExportNotReady
    if not row.file.name:
        raise ExportNotFound(message="This export was cleared away.")
    with row.file.open("rb") as file:
        return row, file.read()


def clear_away(*, at: datetime) -> int:
    """The files that nobody fetches any more, how many; their rows and digests stay."""
    rows = list(_over(at)[: retention.BATCH])
    for row in rows:
        row.file.storage.delete(str(row.file.name))
        row.clear()
    return len(rows)


def due(*, at: datetime) -> int:
    """How many would go."""
    return _over(at).count()


def _over(at: datetime) -> QuerySet[Export]:
    rows = Export.objects.filter(ready_at__lt=at - KEPT).exclude(file="")
    return asking.without_held(rows, at=at, project="project")


def address_of(row: Export) -> str:
    """Where a program fetches it."""
    return reverse("api-project-export", args=[row.project_id, row.public_id])


def _said(row: Export) -> dict[str, str]:
    return {
        "export_id": str(row.public_id),
        "kind": row.kind,
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
        "sha256": row.sha256,
        "url": settings.PUBLIC_URL + address_of(row),
    }
