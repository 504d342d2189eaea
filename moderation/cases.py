"""Review cases: open one, find it, claim it under a lease, give it back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from moderation import policy
from moderation.models import ReviewCase
from moderation.subjects import Subject
from provenance.errors import ProofsheetError

LEASE = timedelta(minutes=10)
UNJUDGED_HOURS = 24  # for subjects that no classifier scored
SEVERE = 5  # cases from here on are only for those who hear appeals


class CaseNotFound(ProofsheetError):
    """There is no such case, or this person may not see it."""

    default_code = "case_not_found"
    default_message = "There is no such case in your queue."
    default_advice = "Go back to the queue and take the next one."
    default_status = 404


class CaseTaken(ProofsheetError):
    """Another reviewer holds the lease."""

    default_code = "case_taken"
    default_message = "Another reviewer is working on this case."
    default_advice = "Take the next one; this one comes back if it is given up."
    default_status = 409


class CaseDecided(ProofsheetError):
    """Somebody decided the case before."""

    default_code = "case_decided"
    default_message = "This case is already decided."
    default_advice = "Its page shows what was decided; take the next one."
    default_status = 409


class StaleLease(ProofsheetError):
    """The token is not that of the current lease, or the lease ran out."""

    default_code = "lease_stale"
    default_message = "Your hold on this case ran out before you decided."
    default_advice = "Claim it again; what you typed is still in the form."
    default_status = 409


class OwnSubject(ProofsheetError):
    """Reviewers do not decide about their own things."""

    default_code = "own_subject"
    default_message = "This case is about something of your own."
    default_advice = "Leave it to another reviewer."
    default_status = 403


def open_case(*, subject: Subject, evidence: dict[str, Any], at: datetime) -> ReviewCase:
    """Open a case, or return the undecided one that the subject already has."""
    worst = _worst(subject, evidence)
    hours = worst.review_within_hours if worst else UNJUDGED_HOURS
    case, _ = ReviewCase.objects.exclude(status=ReviewCase.Status.DECIDED).get_or_create(
        subject_kind=subject.kind,
        subject_id=subject.id,
        defaults={
            "owner_id": subject.owner_id,
            "evidence": evidence,
            "category": worst.name if worst else "",
            "severity": worst.severity if worst else 1,
            "opened_at": at,
            "due_at": at + timedelta(hours=hours),
        },
    )
    return case


def visible_to(by: User) -> QuerySet[ReviewCase]:
    """Cases that `by` may see: severe ones only who hears appeals, none who does not review."""
    cases = ReviewCase.objects.select_related("owner", "leased_by")
    if by.has_perm("moderation.hear_appeals"):
        return cases
    return (
        cases.filter(severity__lt=SEVERE)
        if by.has_perm("moderation.review_cases")
        else cases.none()
    )


def queue(*, by: User, kind: str = "", category: str = "") -> QuerySet[ReviewCase]:
    """Undecided cases in the order to work them: the severest first, then the one due soonest."""
    wanted = {
        name: value for name, value in (("subject_kind", kind), ("category", category)) if value
    }
    waiting = (ReviewCase.Status.OPEN, ReviewCase.Status.LEASED)
    undecided = visible_to(by).filter(status__in=waiting, **wanted)
    return undecided.order_by("-severity", "due_at", "id")


def find(case_id: UUID, *, by: User) -> ReviewCase:
    """A case that `by` may see; raises CaseNotFound."""
    found = visible_to(by).filter(id=case_id).first()
    if found is None:
        raise CaseNotFound
    return found


@transaction.atomic
def claim(case: ReviewCase, *, by: User, at: datetime) -> ReviewCase:
    """Lease `case` to `by` for ten minutes; the row returned carries the token a decision needs.

    Claiming again renews the own lease under the same token. Raises CaseNotFound, CaseDecided,
    CaseTaken, OwnSubject.
    """
    row = visible_to(by).select_for_update(of=("self",)).filter(id=case.id).first()
    if row is None:
        raise CaseNotFound
    if row.status in (ReviewCase.Status.PROPOSED, ReviewCase.Status.DECIDED):
        raise CaseDecided
    if row.owner_id == by.pk:
        raise OwnSubject
    if row.is_leased(at=at) and row.leased_by_id != by.pk:
        raise CaseTaken
    return _leased(row, by=by, at=at)


@transaction.atomic
def claim_next(*, by: User, at: datetime) -> ReviewCase | None:
    """Lease the first case that nobody holds; None when the queue is empty."""
    row = _free(by=by, at=at).select_for_update(skip_locked=True, of=("self",)).first()
    return _leased(row, by=by, at=at) if row else None


def peek(*, by: User, after: ReviewCase, at: datetime) -> ReviewCase | None:
    """The case that `claim_next` would most likely give after this one; nothing is leased."""
    return _free(by=by, at=at).exclude(id=after.id).first()


@transaction.atomic
def escalate(case: ReviewCase, *, by: User, token: UUID) -> ReviewCase:
    """Hand a leased case to those who hear appeals: it becomes severe, and `by` no longer sees it
    unless they are one. Raises StaleLease.
    """
    row = locked(case)
    if row.lease_token != token or row.leased_by_id != by.pk:
        raise StaleLease
    row.severity = SEVERE
    row.reopen()
    return row


@transaction.atomic
def renew(case: ReviewCase, *, by: User, token: UUID, at: datetime) -> ReviewCase:
    """Prolong a lease that `by` holds; raises StaleLease when it is gone."""
    row = locked(case)
    if row.lease_token != token or row.leased_by_id != by.pk or not row.is_leased(at=at):
        raise StaleLease
    return _leased(row, by=by, at=at)


@transaction.atomic
def release(case: ReviewCase, *, by: User, token: UUID) -> ReviewCase:
    """Give a leased case back to the queue; raises StaleLease when `by` no longer holds it."""
    row = locked(case)
    if row.lease_token != token or row.leased_by_id != by.pk:
        raise StaleLease
    row.reopen()
    return row


def locked(case: ReviewCase) -> ReviewCase:
    """The case's row under its lock, in the caller's transaction."""
    return ReviewCase.objects.select_for_update().get(id=case.id)


def _free(*, by: User, at: datetime) -> QuerySet[ReviewCase]:
    """The queue without what others hold and what is about `by`."""
    free = queue(by=by).filter(Q(status=ReviewCase.Status.OPEN) | Q(lease_expires_at__lte=at))
    return free.exclude(owner=by)


def lease_again(row: ReviewCase, *, by: User, at: datetime) -> ReviewCase:
    """Lease a locked row to `by` under a new token."""
    return _leased(row, by=by, at=at)


def _leased(row: ReviewCase, *, by: User, at: datetime) -> ReviewCase:
    is_renewal = row.is_leased(at=at) and row.leased_by_id == by.pk and row.lease_token is not None
    token = row.lease_token if is_renewal and row.lease_token else uuid4()
    row.lease(by_id=by.pk, until=at + LEASE, token=token)
    return row


def _worst(subject: Subject, evidence: dict[str, Any]) -> policy.Category | None:
    if subject.kind == "adapter" or "categories" not in evidence:
        return None
    judged = policy.load(evidence["policy_version"])
    return judged.worst(evidence["categories"], stage=subject.kind)
