"""A project's overlay on the house's policy: proposed by a member, put in force by an owner who did
not propose it where the project has two, or taken out of force. Every version stays as it was.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Max, QuerySet

from config.core.errors import ProofsheetError
from config.core.projects.models import Membership, Project
from moderation.models import PolicyOverlay
from moderation.policy.rulebook import characters, overlay, policy_document
from provenance.log import transparency_log

WORDS_MAX = 2000
DOCUMENT_MAX_BYTES = 64 * 1024
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
Status = PolicyOverlay.Status


class OverlayNotFound(ProofsheetError):
    """No such version of this project."""

    default_code = "overlay_not_found"
    default_message = "The project has no such overlay."
    default_advice = "Its page lists the versions."
    default_status = 404


class OverlayNeedsAnother(ProofsheetError):
    """Who proposed it does not put it in force where another owner could."""

    default_code = "overlay_needs_another"
    default_message = "You proposed this overlay, so another owner puts it in force."
    default_advice = "Ask another owner of the project."
    default_status = 403


class OverlayMovedOn(ProofsheetError):
    """It is in force already, or was."""

    default_code = "overlay_moved_on"
    default_message = "This overlay was in force already."
    default_advice = "Propose it anew to have it again."
    default_status = 409


def in_force(project_id: UUID) -> overlay.Overlay | None:
    """What holds for a project now, to be laid over the house's policy."""
    row = PolicyOverlay.objects.filter(project_id=project_id, status=Status.IN_FORCE).first()
    if row is None:
        return None
    return overlay.parse(row.document, version=row.version)


def versions_of(project: Project) -> QuerySet[PolicyOverlay]:
    """All of a project's, the newest first."""
    rows = PolicyOverlay.objects.filter(project=project)
    return rows.select_related("proposed_by", "activated_by").order_by("-number")


@transaction.atomic
def propose(
    project: Project,
    document: Mapping[str, Any],
    *,
    rationale: str,
    profile: str,
    by: User,
    at: datetime,
) -> PolicyOverlay:
    """A new version. Raises overlay.OverlayInvalid. Whether `by` may, the caller asked."""
    words = characters.typed(rationale)
    if not 1 <= len(words) <= WORDS_MAX or "\0" in words:
        raise overlay.OverlayInvalid(message=f"Say why in 1 to {WORDS_MAX} characters.")
    if len(json.dumps(document)) > DOCUMENT_MAX_BYTES:
        raise overlay.OverlayInvalid(message="An overlay has 64 KiB at most.")
    if not _can_be_kept(document):
        raise overlay.OverlayInvalid(
            message="An overlay has no NUL character, no half character and no NaN."
        )
    overlay.check(overlay.parse(document, version=""), over=policy_document.active(profile))
    Project.objects.select_for_update().get(pk=project.pk)  # two at once get two numbers
    last = PolicyOverlay.objects.filter(project=project).aggregate(Max("number"))["number__max"]
    return PolicyOverlay.objects.create(
        project=project,
        number=(last or 0) + 1,
        document=document,
        rationale=words,
        proposed_by=by,
        proposed_at=at,
    )


def _can_be_kept(document: Mapping[str, Any]) -> bool:
    """PostgreSQL's JSON takes no NUL, no half of a surrogate pair and no NaN."""
    try:
        said = json.dumps(document, ensure_ascii=False, allow_nan=False)
        said.encode()
    except ValueError:
        return False
    return _NUL.search(said) is None


@transaction.atomic
def activate(project: Project, number: int, *, by: User, at: datetime) -> PolicyOverlay:
    """Put a proposed version in force; what was there is retired. `by` is an owner, as the caller
    asked. Raises OverlayNotFound, OverlayMovedOn, OverlayNeedsAnother.
    """
    row = _locked(project, number)
    if row.status != Status.PROPOSED:
        raise OverlayMovedOn
    owners = Membership.objects.filter(project=project, role=Membership.MemberRole.OWNER)
    if row.proposed_by_id == by.pk and owners.exclude(user=by).exists():
        raise OverlayNeedsAnother
    for old in PolicyOverlay.objects.select_for_update().filter(
        project=project, status=Status.IN_FORCE
    ):
        _retire(old, at=at)
    row.status, row.activated_by, row.activated_at = Status.IN_FORCE, by, at
    row.save(update_fields=["status", "activated_by", "activated_at"])
    _log(row, "in_force", at=at)
    return row


@transaction.atomic
def retire(project: Project, number: int, *, at: datetime) -> PolicyOverlay:
    """Take a version out of force. Raises OverlayNotFound, OverlayMovedOn."""
    row = _locked(project, number)
    if row.status != Status.IN_FORCE:
        raise OverlayMovedOn(message="This overlay is not in force.", advice="")
    _retire(row, at=at)
    return row


def _retire(row: PolicyOverlay, *, at: datetime) -> None:
    row.status, row.retired_at = Status.RETIRED, at
    row.save(update_fields=["status", "retired_at"])
    _log(row, "retired", at=at)


def _locked(project: Project, number: int) -> PolicyOverlay:
    Project.objects.select_for_update().get(pk=project.pk)
    row = PolicyOverlay.objects.select_for_update().filter(project=project, number=number).first()
    if row is None:
        raise OverlayNotFound
    return row


def _log(row: PolicyOverlay, what: str, *, at: datetime) -> None:
    """The digest alone: what a project blocks is its own business."""
    said = json.dumps(row.document, sort_keys=True, separators=(",", ":")).encode()
    body = {"overlay": row.number, "status": what, "digest": hashlib.sha256(said).hexdigest()}
    subject = uuid5(row.project_id, f"overlay {row.number}")
    transparency_log.append(kind="moderation.overlay", subject=subject, body=body, at=at)
