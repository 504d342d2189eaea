"""Several cases decided at once: what would happen, then doing it, and undoing all of it together.

Every case is claimed and decided by itself, under the same rules as on its page; one that somebody
holds, that was decided meanwhile, or that the measure does not fit is named and left alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction

from config.core.errors import ProofsheetError
from moderation.cases import review_cases, wellbeing
from moderation.decisions import allowed_actions, pending_decisions
from moderation.decisions.enforcing import NO_TERMS
from moderation.desk import queue_rows
from moderation.desk.queue_rows import CaseLine
from moderation.models import PendingDecision, ReviewCase
from moderation.subjects.actions import ACTIONS
from moderation.subjects.subject import Action

MOST = 200  # cases at once
BULK_ACTIONS: tuple[Action, ...] = tuple(
    action for action, measure in ACTIONS.items() if measure.may_be_bulk
)


class NothingChosen(ProofsheetError):
    """No case, or no decision, was chosen."""

    default_code = "bulk_nothing_chosen"
    default_message = "No case was ticked, or none matches any more."
    default_advice = "Tick the cases in the queue, or take all that match its filter."
    default_status = 422


class TooMany(ProofsheetError):
    """More cases were chosen than can be decided at once."""

    default_code = "bulk_too_many"
    default_message = f"More than {MOST} cases cannot be decided at once."
    default_advice = "Narrow the queue's filter, or decide them in parts."
    default_status = 422


class OneByOne(ProofsheetError):
    """A blind case, or one that a second person has to confirm."""

    default_code = "bulk_one_by_one"
    default_message = "This case is decided on its own page only."
    default_advice = "Open it there."
    default_status = 409


@dataclass(frozen=True, slots=True)
class Left:
    """A case that is left alone, and why."""

    line: CaseLine
    why: ProofsheetError


@dataclass(frozen=True, slots=True)
class BulkPreviewed:
    """What deciding would do: the cases that it would reach, and those that it would not."""

    reached: tuple[CaseLine, ...]
    left: tuple[Left, ...]


@dataclass(frozen=True, slots=True)
class BulkResult:
    """What was done, and until when it can be undone. `gone`: cases that `by` sees no more."""

    batch: UUID
    until: datetime
    decided: int
    left: tuple[Left, ...]
    gone: int


def preview(
    ids: Iterable[UUID], *, by: User, action: Action, reason: str, at: datetime
) -> BulkPreviewed:
    """Nothing is claimed or changed. Raises NothingChosen, TooMany."""
    found = _seen(_checked(ids), by=by)
    if not found:
        raise NothingChosen
    whys = [_why_not(case, by=by, action=action, reason=reason, at=at) for case in found]
    shown = [queue_rows.line(case, by=by, at=at) for case in found]
    pairs = list(zip(shown, whys, strict=True))
    return BulkPreviewed(
        reached=tuple(line for line, why in pairs if why is None),
        left=tuple(Left(line, why) for line, why in pairs if why is not None),
    )


def decide(
    ids: Iterable[UUID],
    *,
    by: User,
    action: Action,
    reason: str,
    at: datetime,
    explanation: str = "",
) -> BulkResult:
    """Decide what can be decided; each effect follows after the same undo window.

    Raises NothingChosen, TooMany.
    """
    wanted = _checked(ids)
    found = _seen(wanted, by=by)
    batch, decided, left = uuid4(), 0, []
    for case in found:
        try:
            _decide_one(
                case, by=by, action=action, reason=reason, words=explanation, batch=batch, at=at
            )
            decided += 1
        except ProofsheetError as why:
            left.append((case, why))
    latest = {case.id: case for case in _seen([case.id for case, _ in left], by=by)}
    return BulkResult(
        batch=batch,
        until=at + pending_decisions.window(),
        decided=decided,
        left=tuple(
            Left(queue_rows.line(latest.get(case.id, case), by=by, at=at), why)
            for case, why in left
        ),
        gone=len(wanted) - len(found),
    )


@transaction.atomic
def undo(batch: UUID, *, by: User, at: datetime) -> int:
    """Take a batch back while its window is open: its cases wait in the queue again; how many.

    Raises pending_decisions.TooLate.
    """
    mine = PendingDecision.objects.filter(
        batch=batch, decided_by=by, due_at__gt=at, confirmed_by=None
    )
    ids = list(mine.order_by("case_id").values_list("case_id", flat=True))
    rows = ReviewCase.objects.select_for_update().filter(id__in=ids).order_by("id")
    open_still = {row.id: row for row in rows}
    taken = 0
    for pending in mine.filter(case__in=open_still):
        row = open_still[pending.case_id]
        pending.delete()
        row.reopen()
        taken += 1
    if not taken:
        raise pending_decisions.TooLate
    return taken


@transaction.atomic
def _decide_one(
    case: ReviewCase,
    *,
    by: User,
    action: Action,
    reason: str,
    words: str,
    batch: UUID,
    at: datetime,
) -> None:
    held = review_cases.claim(case, by=by, at=at)
    _check_bulk(held, action=action, reason=reason)
    assert held.lease_token is not None
    pending_decisions.propose(
        held,
        by=by,
        action=action,
        reason=reason,
        explanation=words,
        token=held.lease_token,
        batch=batch,
        at=at,
    )


def _check_bulk(case: ReviewCase, *, action: Action, reason: str) -> None:
    """Raise OneByOne where each case needs a look of its own."""
    is_for_one = not ACTIONS[action].may_be_bulk
    if is_for_one or case.is_blind or allowed_actions.is_severe(case, action=action, reason=reason):
        raise OneByOne


def _why_not(
    case: ReviewCase, *, by: User, action: Action, reason: str, at: datetime
) -> ProofsheetError | None:
    """What deciding it now would raise."""
    match queue_rows.standing(case, by=by, at=at):
        case "decided" | "proposed":
            return review_cases.CaseDecided()
        case "taken":
            return review_cases.CaseTaken()
        case "own":
            return review_cases.OwnSubject()
        case "free":
            try:
                wellbeing.check_present(by=by, at=at)
            except ProofsheetError as error:
                return error
    try:
        _check_bulk(case, action=action, reason=reason)
        allowed_actions.check(case, action=action, reason=reason, terms=NO_TERMS)
    except ProofsheetError as error:
        return error
    return None


def _checked(ids: Iterable[UUID]) -> list[UUID]:
    wanted = list(dict.fromkeys(ids))
    if not wanted:
        raise NothingChosen
    if len(wanted) > MOST:
        raise TooMany
    return wanted


def _seen(ids: list[UUID], *, by: User) -> list[ReviewCase]:
    """Those that `by` may see, in the queue's order."""
    return list(
        review_cases.visible_to(by).filter(id__in=ids).order_by("-severity", "due_at", "id")
    )
