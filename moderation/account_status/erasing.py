"""Erasing on request what a person wrote from the evidence about them.

What was decided, when, by which rule and with which scores stays. The log gets an entry for each
row before its words go, and without that the database lets none of them go.
"""

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from moderation.models import Appeal, ContentNotice, Decision, ReviewCase
from moderation.subjects.evidence import without_words
from provenance.database.record_rules import ERASED
from provenance.log import transparency_log


@transaction.atomic
def erase_words(person: User, *, at: datetime) -> int:
    """Erase prompts, pictures' places, appeals and explanations; how many rows there were."""
    erased = 0
    for row, changes in _changes(person):
        changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
        if not changed:
            continue
        _tombstone(row.id, sorted(changed), at=at)
        type(row).objects.filter(id=row.id).update(**changed)
        erased += 1
    return erased


def _changes(
    person: User,
) -> Iterator[tuple[Appeal | ContentNotice | Decision | ReviewCase, dict[str, object]]]:
    """Each row about the person, and what its columns become."""
    closed = ReviewCase.objects.filter(owner=person, status=ReviewCase.Status.DECIDED)
    for case in closed.order_by("id"):
        yield case, {"evidence": without_words(case.evidence)}
    for decision in Decision.objects.filter(owner=person).order_by("id"):
        yield decision, {"evidence": without_words(decision.evidence), "explanation": ""}
    heard = ~Q(status__in=[Appeal.Status.LODGED, Appeal.Status.HEARD])
    for appeal in Appeal.objects.filter(heard, appellant=person).order_by("id"):
        yield appeal, {"grounds": "", "reasons": ""}
    for notice in ContentNotice.objects.filter(notifier=person).order_by("id"):
        yield notice, {"explanation": ""}


def _tombstone(row_id: UUID, erased: list[str], *, at: datetime) -> None:
    transparency_log.append(kind=ERASED, subject=row_id, body={"erased": erased}, at=at)
