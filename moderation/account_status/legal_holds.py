"""Placing and ending holds. The log is told that there is one and of what kind, never of whom."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.core.errors import ProofsheetError
from config.core.holds.models import HeldKind, LegalHold
from provenance.log import transparency_log

PLACED, ENDED = "hold.placed", "hold.ended"


class HoldNotFound(ProofsheetError):
    """There is no such hold that stands."""

    default_code = "hold_not_found"
    default_message = "There is no such hold, or it has ended."
    default_advice = "`manage.py hold list` names those that stand."
    default_status = 404


@transaction.atomic
def place(
    kind: HeldKind, subject: object, *, reason: str, until: datetime | None, by: str, at: datetime
) -> LegalHold:
    """From now on nothing of it goes, whoever or whatever asks."""
    hold = LegalHold.objects.create(
        kind=kind, subject=str(subject), reason=reason, until=until, placed_at=at, placed_by=by
    )
    transparency_log.append(kind=PLACED, subject=hold.id, body={"of": str(kind)}, at=at)
    return hold


@transaction.atomic
def end(hold_id: UUID, *, by: str, at: datetime) -> LegalHold:
    """What was due meanwhile goes in the next hour. Raises HoldNotFound."""
    hold = LegalHold.objects.select_for_update().filter(id=hold_id, ended_at=None).first()
    if hold is None:
        raise HoldNotFound
    hold.ended_at, hold.ended_by = at, by
    hold.save(update_fields=["ended_at", "ended_by"])
    transparency_log.append(kind=ENDED, subject=hold.id, body={"of": hold.kind}, at=at)
    return hold
