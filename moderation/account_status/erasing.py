"""Erasing on request what a person wrote from the evidence about them.

What was decided, when, by which rule and with which scores stays. The log gets an entry for each
row before its words go, and without that the database lets none of them go.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q

from config.core.holds import asking
from config.core.holds.models import HeldKind
from moderation.models import Appeal, Decision, Report, ReviewCase
from moderation.subjects.evidence import without_words
from provenance.database.record_rules import ERASED
from provenance.log import transparency_log

Erasable = Appeal | Report | Decision | ReviewCase


@transaction.atomic
def erase_words(person: User, *, at: datetime) -> int:
    """Erase prompts, pictures' places, appeals and explanations; how many rows there were.
    Raises asking.UnderHold."""
    asking.require_free({HeldKind.ACCOUNT: [person.pk]}, at=at)
    return _erase(_changes(Q(owner=person), Q(appellant=person), Q(notifier=person)), at=at)


@transaction.atomic
def erase_words_of_end_user(end_user_id: UUID, *, at: datetime) -> int:
    """The same of somebody whom a project serves. Raises asking.UnderHold."""
    asking.require_free({HeldKind.END_USER: [end_user_id]}, at=at)
    theirs = Q(end_user=end_user_id)
    return _erase(_changes(theirs, theirs, Q(pk=None)), at=at)


def _erase(changes_of_rows: Iterator[tuple[Erasable, dict[str, object]]], *, at: datetime) -> int:
    wanted = []
    for row, changes in changes_of_rows:
        changed = {name: value for name, value in changes.items() if getattr(row, name) != value}
        if changed:
            wanted.append((row, changed))
    _require_free([row for row, _ in wanted], at=at)
    for row, changed in wanted:
        _tombstone(row.id, sorted(changed), at=at)
        type(row).objects.filter(id=row.id).update(**changed)
    return len(wanted)


def _require_free(rows: list[Erasable], *, at: datetime) -> None:
    """Whoever else they are about, and whatever: all or none goes. Raises asking.UnderHold."""
    whose: dict[HeldKind, set[object]] = defaultdict(set)
    things: set[UUID] = set()
    for row in rows:
        about: ReviewCase | Decision
        match row:
            case Report():
                about, writer = row.case, row.notifier_id
            case Appeal():
                about, writer = row.decision, row.appellant_id
            case _:
                about, writer = row, None
        whose[HeldKind.ACCOUNT] |= {about.owner_id, writer}
        whose[HeldKind.PROJECT].add(about.project_id)
        whose[HeldKind.END_USER].add(about.end_user_id)
        things |= {row.id, about.id, about.subject_id}
    asking.require_free(whose, at=at)
    asking.require_free_things(things, at=at)


def _changes(whose: Q, appellant: Q, notifier: Q) -> Iterator[tuple[Erasable, dict[str, object]]]:
    """Each row about the person, and what its columns become."""
    closed = ReviewCase.objects.filter(whose, status=ReviewCase.Status.DECIDED)
    for case in closed.order_by("id"):
        yield case, {"evidence": without_words(case.evidence)}
    for decision in Decision.objects.filter(whose).order_by("id"):
        yield decision, {"evidence": without_words(decision.evidence), "explanation": ""}
    heard = ~Q(status__in=[Appeal.Status.LODGED, Appeal.Status.HEARD])
    for appeal in Appeal.objects.filter(heard, appellant).select_related("decision").order_by("id"):
        yield appeal, {"grounds": "", "reasons": ""}
    for report in Report.objects.filter(notifier).select_related("case").order_by("id"):
        yield report, {"explanation": ""}


def _tombstone(row_id: UUID, erased: list[str], *, at: datetime) -> None:
    transparency_log.append(kind=ERASED, subject=row_id, body={"erased": erased}, at=at)
