"""What every way of erasing asks first: whether it has to be kept.

Whoever erases one thing calls `require_free`; whoever erases by a query leaves out `without_held`.
Holds are few, so they are read whole.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from django.db.models import Model, Q, QuerySet

from config.core.errors import ProofsheetError
from config.core.holds.models import HeldKind, LegalHold

Row = TypeVar("Row", bound=Model)
Subjects = Mapping[HeldKind, Iterable[object]]
WhoseThings = Callable[[list[UUID]], Iterable[tuple[HeldKind, object]]]
_whose: list[WhoseThings] = []


class UnderHold(ProofsheetError):
    """It has to be kept for somebody who may ask for it."""

    default_code = "under_hold"
    default_message = "This has to be kept for now by law, so it cannot be deleted."
    default_advice = "It can be deleted once that is over; the operator knows more."
    default_status = 409


def learn_whose(tell: WhoseThings) -> None:
    """Have a room above say whose things with these ids are."""
    _whose.append(tell)


def holds(*, at: datetime) -> QuerySet[LegalHold]:
    """Those that stand at that time."""
    return LegalHold.objects.filter(Q(until=None) | Q(until__gt=at), ended_at=None)


def standing(*, at: datetime) -> dict[HeldKind, set[str]]:
    """What is held at that time."""
    found: dict[HeldKind, set[str]] = defaultdict(set)
    for kind, subject in holds(at=at).values_list("kind", "subject"):
        found[HeldKind(kind)].add(subject)
    return found


def require_free(subjects: Subjects, *, at: datetime) -> None:
    """Raises UnderHold where one of them is held; None among them is nobody."""
    held = standing(at=at)
    for kind, those in subjects.items():
        if held[kind] & {str(each) for each in those if each is not None}:
            raise UnderHold


def require_free_things(ids: Iterable[UUID], *, at: datetime) -> None:
    """The same for things of which their ids alone are known. Raises UnderHold."""
    wanted = list(ids)
    whose: dict[HeldKind, list[object]] = defaultdict(list, {HeldKind.THING: [*wanted]})
    for tell in _whose:
        for kind, subject in tell(wanted):
            whose[kind].append(subject)
    require_free(whose, at=at)


def without_held(rows: QuerySet[Row], *, at: datetime, **columns: str) -> QuerySet[Row]:
    """Rows none of whose columns names what is held: `account="owner", thing="pk"`."""
    held = standing(at=at)
    for kind, column in columns.items():
        if subjects := held[HeldKind(kind)]:
            rows = rows.exclude(**{f"{column}__in": sorted(subjects)})
    return rows
