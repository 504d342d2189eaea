"""From a reviewer's decision to its effect: the undo window, and for severe ones a second person.

Nothing is sent and nothing happens to the subject before ``settle``.
"""

import logging
from datetime import datetime, timedelta
from typing import cast
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, OuterRef, Q, QuerySet, Subquery

from config.core.errors import ProofsheetError
from config.core.ownership import memberships
from moderation.cases import review_cases
from moderation.decisions import allowed_actions, enforcing
from moderation.decisions.enforcing import NO_TERMS
from moderation.models import PendingDecision, ReviewCase
from moderation.signals import case_labelled
from moderation.subjects.actions import Terms
from moderation.subjects.subject import Action

logger = logging.getLogger(__name__)
_READY = Q(is_severe=False) | Q(confirmed_by__isnull=False) | Q(case__is_sampled=True)
_SEVERE = Q(is_severe=True, confirmed_by__isnull=True, case__is_sampled=False)


class TooLate(ProofsheetError):
    """The undo window is over, or the decision was somebody else's."""

    default_code = "undo_too_late"
    default_message = "This decision can no longer be undone."
    default_advice = "Its owner can appeal against it."
    default_status = 409


class SamePerson(ProofsheetError):
    """Who decided may not be the second person."""

    default_code = "same_person"
    default_message = "You decided this case, so a different person has to confirm it."
    default_advice = "Leave it to another senior moderator."
    default_status = 403


class NothingToConfirm(ProofsheetError):
    """The case has no severe decision that waits."""

    default_code = "nothing_to_confirm"
    default_message = "No decision waits for a second person here."
    default_advice = "Reload the page to see what happened to it."
    default_status = 409


def window() -> timedelta:
    """How long a decision can be undone."""
    return timedelta(seconds=settings.PROOFSHEET_UNDO_SECONDS)


@transaction.atomic
def propose(
    case: ReviewCase,
    *,
    by: User,
    action: Action,
    reason: str,
    at: datetime,
    token: UUID,
    explanation: str = "",
    terms: Terms = NO_TERMS,
    batch: UUID | None = None,
    perceived: str = "",
) -> PendingDecision:
    """Decide a leased case; the effect follows after the undo window. Those of one `batch` can be
    undone together.

    Raises what `enforcing.decide` raises, except NeedsSecondPerson.
    """
    row = enforcing.checked(
        case, by=by, action=action, reason=reason, at=at, token=token, terms=terms
    )
    row.propose()
    pending = PendingDecision.objects.create(
        case=row,
        batch=batch,
        action=action,
        days=terms.days,
        adapter=terms.adapter,
        reason=reason,
        explanation=explanation,
        perceived=perceived if row.is_blind else "",
        is_severe=allowed_actions.is_severe(row, action=action, reason=reason),
        decided_by=by,
        decided_at=at,
        due_at=at + window(),
    )
    if pending.due_at <= at:
        _settle_one(pending, at=at)
    return pending


@transaction.atomic
def undo(case: ReviewCase, *, by: User, at: datetime) -> PendingDecision:
    """Take an own decision back while the window is open; the case is leased to `by` again.

    Raises TooLate. What is returned is deleted already; it says what had been chosen.
    """
    row = review_cases.locked(case)
    pending = PendingDecision.objects.filter(case=row, decided_by=by, due_at__gt=at).first()
    if pending is None or pending.confirmed_by_id is not None:
        raise TooLate
    pending.delete()
    review_cases.lease_again(row, by=by, at=at)
    return pending


@transaction.atomic
def confirm(case: ReviewCase, *, by: User, at: datetime) -> None:
    """Be the second person for a severe decision; it has effect once its window is over.

    Raises NothingToConfirm, SamePerson.
    """
    pending = _to_confirm(case, by=by)
    pending.confirm(by_id=by.pk)
    if pending.due_at <= at:
        _settle_one(pending, at=at)


@transaction.atomic
def overturn(case: ReviewCase, *, by: User) -> None:
    """Disagree with a severe decision: the case goes back to the queue.

    Raises NothingToConfirm, SamePerson.
    """
    _to_confirm(case, by=by).delete()
    review_cases.locked(case).reopen()


def settle(*, at: datetime) -> int:
    """Give effect to every decision whose window is over and that nobody has to confirm any more;
    how many. Safe to run anywhere and any number of times. One that fails does not stop the others.
    """
    ready = PendingDecision.objects.filter(_READY, due_at__lte=at).order_by("due_at", "id")
    settled, failure = 0, None
    for pending in list(ready.select_related("case")):
        try:
            settled += _settle_one(pending, at=at)
        except Exception as error:
            logger.exception("the decision on case %s could not be settled", pending.case_id)
            failure = error
    if failure is not None:
        raise failure
    return settled


def latest(*, by: User, at: datetime) -> PendingDecision | None:
    """The person's newest decision that can still be undone; `batch_size` says how many were made
    with it, itself included.
    """
    mine = PendingDecision.objects.filter(decided_by=by, due_at__gt=at, confirmed_by__isnull=True)
    together = PendingDecision.objects.filter(batch=OuterRef("batch")).order_by().values("batch")
    size = Subquery(together.annotate(size=Count("id")).values("size"))
    newest = mine.select_related("case").annotate(batch_size=size).order_by("-decided_at")
    return newest.first()


def to_confirm(*, by: User) -> QuerySet[PendingDecision]:
    """Severe decisions of other people that wait for somebody like `by`, oldest first."""
    waiting = PendingDecision.objects.filter(_SEVERE)
    if not by.has_perm("moderation.hear_appeals"):
        return waiting.none()
    theirs = Q(case__project__in=memberships(by))
    others = waiting.exclude(Q(decided_by=by) | Q(case__owner=by) | theirs)
    return others.select_related("case", "decided_by").order_by("decided_at")


@transaction.atomic
def _settle_one(pending: PendingDecision, *, at: datetime) -> bool:
    """Lock the case first, as undoing does; False when somebody was faster."""
    row = review_cases.locked(pending.case)
    found = PendingDecision.objects.filter(_READY, id=pending.id).select_related(
        "decided_by", "confirmed_by"
    )
    if (latest_state := found.first()) is None:
        return False
    latest_state.delete()
    if row.is_sampled:
        row.close(at=at)
    else:
        _enforce(row, latest_state, at=at)
    if row.is_blind:
        case_labelled.send(
            sender=ReviewCase,
            case=row,
            by=latest_state.decided_by,
            truth="acceptable" if latest_state.action == "allow" else "violates",
            reason=latest_state.reason,
            perceived=latest_state.perceived,
            at=at,
        )
    return True


def _enforce(row: ReviewCase, latest_state: PendingDecision, *, at: datetime) -> None:
    enforcing.enforce(
        row,
        by=latest_state.decided_by,
        action=cast(Action, latest_state.action),
        reason=latest_state.reason,
        explanation=latest_state.explanation,
        confirmed_by=latest_state.confirmed_by,
        terms=Terms(latest_state.days, latest_state.adapter),
        at=at,
    )


def _to_confirm(case: ReviewCase, *, by: User) -> PendingDecision:
    row = review_cases.locked(case)
    pending = PendingDecision.objects.filter(_SEVERE, case=row).first()
    if pending is None or not by.has_perm("moderation.hear_appeals"):
        raise NothingToConfirm
    if by.pk in {pending.decided_by_id, row.owner_id}:
        raise SamePerson
    return pending
