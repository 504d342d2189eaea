"""What is kept for a while only, for how long, and what ends it. Each room registers its own data
when Django starts, under the names that `docs/audit/personal-data.md` tells people; one job ends
what is over, whatever it is, and one command tells what would go."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from django.db.models import QuerySet

BATCH, BATCHES_AT_ONCE = 1000, 50
logger = logging.getLogger(__name__)


class Forget(Protocol):
    """Ends what is over at a time, all of it or so much as may go at once; how many that were."""

    def __call__(self, *, at: datetime) -> int: ...


class Due(Protocol):
    """How many are over at a time, those left out that are held."""

    def __call__(self, *, at: datetime) -> int: ...


@dataclass(frozen=True, slots=True)
class Retention:
    """`kept` is for how long by default, `set_by` who may say otherwise: a setting, a project."""

    datum: str
    kept: str
    forget: Forget
    due: Due
    set_by: str = ""


_registered: dict[str, Retention] = {}


def register(datum: str, forget: Forget, *, kept: str, due: Due, set_by: str = "") -> None:
    """Have `forget` called every hour from now on."""
    _registered[datum] = Retention(datum, kept, forget, due, set_by)


def table() -> tuple[Retention, ...]:
    """What goes when its time is over."""
    return tuple(_registered.values())


def as_markdown() -> str:
    """The same, for the documentation."""
    lines = [f"| {each.datum} | {each.kept} | {each.set_by or 'nobody'} |" for each in table()]
    return "\n".join(["| what | kept | set by |", "|---|---|---|", *lines]) + "\n"


def forget_all(*, at: datetime) -> dict[str, int]:
    """End all that is over, and say how many of what went. What fails keeps nothing else: raises
    an ExceptionGroup at the end."""
    failures, gone = [], {}
    for each in table():
        try:
            gone[each.datum] = each.forget(at=at)
        except Exception as error:  # the others' time is over too
            error.add_note(f"while this was to go: {each.datum}")
            failures.append(error)
    for datum, count in gone.items():
        if count:
            logger.info("retention: %d went: %s", count, datum)
    if failures:
        raise ExceptionGroup("not all went whose time is over", failures)
    return gone


def in_batches(
    over: Callable[[], QuerySet[Any]], end: Callable[[QuerySet[Any]], object] | None = None
) -> int:
    """Delete what is `over`, or `end` it so that it is that no more, some at a time: a transaction
    that deletes a million holds up everybody. It is asked anew for each batch and for its rows: a
    hold may have come meanwhile. What is left goes in the next hour."""
    count = 0
    for _ in range(BATCHES_AT_ONCE):
        found = list(over().values_list("pk", flat=True)[:BATCH])
        some = over().filter(pk__in=found)
        some.delete() if end is None else end(some)
        count += len(found)
        if len(found) < BATCH:
            break
    return count
