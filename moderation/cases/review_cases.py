"""Review cases: open one, find it, claim it under a lease, give it back."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Literal
from uuid import UUID, uuid4

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet

from config.core.errors import ProofsheetError
from config.core.ownership import memberships
from config.core.projects import personal
from moderation.cases import wellbeing
from moderation.models import ReviewCase
from moderation.policy.rulebook import policy_document
from moderation.signals import case_labelled
from moderation.subjects.evidence import Evidence, without_verdict
from moderation.subjects.subject import Kind, Subject

LEASE = timedelta(minutes=10)
UNJUDGED_HOURS = 24  # for subjects that no classifier scored
SEVERE = 5  # cases from here on are only for those who hear appeals
GRAVE = 4  # from here on a case counts as severe in the queue's filter


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


class NotHeld(ProofsheetError):
    """Only who holds a case looks at its picture in full: a look is a reveal, and on record."""

    default_code = "case_not_held"
    default_message = "You do not hold this case, so its picture stays blurred."
    default_advice = "Claim the case first."
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


def open_case(
    *,
    subject: Subject,
    evidence: Evidence,
    at: datetime,
    is_blind: bool = False,
    named: str = "",
) -> ReviewCase:
    """Open a case, or return the undecided one that the subject already has.

    Blind, the decision is a label too. `named`: the category that a person saw where no score did.
    """
    worst = _worst(subject, evidence) or _category(named, evidence)
    case, _ = ReviewCase.objects.exclude(status=ReviewCase.Status.DECIDED).get_or_create(
        subject_kind=subject.kind,
        subject_id=subject.id,
        is_sampled=False,
        defaults=_filed(subject, evidence, worst, at=at) | {"is_blind": is_blind},
    )
    return case


def open_sampled(
    *,
    subject: Subject,
    evidence: Evidence,
    nearest: str,
    at: datetime,
    not_for: User | None = None,
) -> ReviewCase:
    """Open a case for a blind label alone, which nobody can tell from one that waits for a verdict:
    severe and due as if its nearest category had been flagged. `not_for` gave the first label.
    """
    filed = _filed(subject, evidence, _category(nearest, evidence), at=at)
    return ReviewCase.objects.create(
        subject_kind=subject.kind,
        subject_id=subject.id,
        is_blind=True,
        is_sampled=True,
        not_for=not_for,
        **filed,
    )


def withdraw_sampled(kind: Kind, subject_id: UUID) -> None:
    """Give up the label of something that its owner deleted."""
    waiting = ReviewCase.objects.filter(is_sampled=True).exclude(status=ReviewCase.Status.DECIDED)
    waiting.filter(subject_kind=kind, subject_id=subject_id).delete()


def _filed(
    subject: Subject,
    evidence: Evidence,
    category: policy_document.Category | None,
    *,
    at: datetime,
) -> dict[str, Any]:
    hours = category.review_within_hours if category else UNJUDGED_HOURS
    return {
        "owner_id": subject.owner_id,
        "project_id": subject.project_id or personal.id_of(subject.owner_id),
        "end_user_id": subject.end_user_id,
        "evidence": evidence.to_json(),
        "category": category.name if category else "",
        "severity": category.severity if category else 1,
        "opened_at": at,
        "due_at": at + timedelta(hours=hours),
    }


def _category(name: str, evidence: Evidence) -> policy_document.Category | None:
    return policy_document.load(evidence.policy_version).categories[name] if name else None


def shown(case: ReviewCase) -> dict[str, Any]:
    """The case's evidence, without verdict and scores while it is answered blind."""
    return without_verdict(case.evidence) if case.is_masked else case.evidence


def policy_version_of(case: ReviewCase) -> str:
    """The policy that the case was opened under, or the one in force where it names none."""
    return case.seen.policy_version or policy_document.active("general").version


def visible_to(by: User) -> QuerySet[ReviewCase]:
    """Cases that `by` may see: severe ones only who hears appeals, none who does not review."""
    cases = ReviewCase.objects.select_related("owner", "leased_by", "assigned_to").exclude(
        not_for=by.pk or 0
    )
    if by.has_perm("moderation.hear_appeals"):
        return cases
    return (
        cases.filter(severity__lt=SEVERE)
        if by.has_perm("moderation.review_cases")
        else cases.none()
    )


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which cases of the queue somebody wants to see. Empty values narrow nothing."""

    kind: str = ""
    category: str = ""
    whose: Literal["", "mine", "unassigned"] = ""
    due: Literal["", "overdue", "today"] = ""
    is_severe: bool = False
    project: UUID | None = None

    @property
    def is_counted(self) -> bool:
        """Whether the queue's own numbers say how many cases it leaves."""
        return not (self.whose or self.due or self.is_severe or self.project)


def narrowed(wanted: Narrowing, *, by: User, at: datetime) -> QuerySet[ReviewCase]:
    """The part of the queue that is wanted."""
    found = queue(by=by, kind=wanted.kind, category=wanted.category)
    match wanted.whose:
        case "mine":
            found = found.filter(assigned_to=by)
        case "unassigned":
            found = found.filter(assigned_to=None)
    match wanted.due:
        case "overdue":
            found = found.filter(due_at__lt=at)
        case "today":
            midnight = datetime.combine(at.date() + timedelta(days=1), time(), at.tzinfo)
            found = found.filter(due_at__lt=midnight)
    if wanted.project:
        found = found.filter(project=wanted.project)
    if wanted.is_severe:
        found = found.filter(severity__gte=GRAVE)
    return found


def queue(*, by: User, kind: str = "", category: str = "") -> QuerySet[ReviewCase]:
    """Undecided cases in the order to work them: the severest first, then the one due soonest."""
    wanted: dict[str, Any] = {"subject_kind": kind} if kind else {}
    if category:
        wanted |= {"category": category, "is_blind": False}
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
    CaseTaken, OwnSubject, and for a new lease wellbeing.OnBreak and wellbeing.BreakDue.
    """
    row = undecided(case, by=by)
    if row.is_leased(at=at) and row.leased_by_id != by.pk:
        raise CaseTaken
    if not (row.is_leased(at=at) and row.leased_by_id == by.pk):
        wellbeing.check_present(by=by, at=at)
    return _leased(row, by=by, at=at)


@transaction.atomic
def claim_next(*, by: User, at: datetime) -> ReviewCase | None:
    """Lease the first case that nobody holds; None when the queue is empty.

    Raises wellbeing.OnBreak, wellbeing.BreakDue.
    """
    wellbeing.check_present(by=by, at=at)
    free = _free(by=by, at=at).select_related(None)
    row = free.select_for_update(skip_locked=True).first()
    return _leased(row, by=by, at=at) if row else None


def peek(*, by: User, after: ReviewCase, at: datetime) -> ReviewCase | None:
    """The case that `claim_next` would most likely give after this one; nothing is leased."""
    return _free(by=by, at=at).select_related(None).exclude(id=after.id).first()


@transaction.atomic
def escalate(case: ReviewCase, *, by: User, token: UUID, at: datetime) -> ReviewCase:
    """Hand a leased case to those who hear appeals: it becomes severe, and `by` no longer sees it
    unless they are one. A blind one has its label with that: unclear. Raises StaleLease.
    """
    row = locked(case)
    if row.lease_token != token or row.leased_by_id != by.pk:
        raise StaleLease
    was_blind, row.is_blind = row.is_blind, row.is_sampled
    if row.is_sampled:
        row.close(at=at)
    else:
        row.severity = SEVERE
        keep_from_unseeing(row)
        row.reopen()
    if was_blind:
        case_labelled.send(sender=ReviewCase, case=row, by=by, truth="unclear", at=at)
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


def undecided(case: ReviewCase, *, by: User) -> ReviewCase:
    """The locked row of a case that `by` sees and may work on. Raises CaseNotFound, CaseDecided,
    OwnSubject.
    """
    row = visible_to(by).select_for_update(of=("self",)).filter(id=case.id).first()
    if row is None:
        raise CaseNotFound
    if row.status in (ReviewCase.Status.PROPOSED, ReviewCase.Status.DECIDED):
        raise CaseDecided
    if is_own(row, by=by):
        raise OwnSubject
    return row


def is_own(case: ReviewCase, *, by: User) -> bool:
    """Whether it is about something of `by`'s own, or of a project where they belong."""
    if case.owner_id == by.pk:
        return True
    return memberships(by).filter(project_id=case.project_id).exists()


def _free(*, by: User, at: datetime) -> QuerySet[ReviewCase]:
    """The queue without what others hold, what is about `by`, and what is assigned to others and
    not yet overdue: nothing waits for ever for somebody who left.
    """
    is_free = Q(status=ReviewCase.Status.OPEN) | Q(lease_expires_at__lte=at)
    is_for_them = Q(assigned_to=None) | Q(assigned_to=by) | Q(due_at__lte=at)
    free = queue(by=by).filter(is_free, is_for_them)
    return free.exclude(Q(owner=by) | Q(project__in=memberships(by)))


def keep_from_unseeing(row: ReviewCase) -> None:
    """Assign a locked case that becomes severe to nobody, if it is that of somebody who then no
    longer sees it: seniors would not be given it.
    """
    if row.assigned_to and not row.assigned_to.has_perm("moderation.hear_appeals"):
        row.assign(to_id=None)


def lease_again(row: ReviewCase, *, by: User, at: datetime) -> ReviewCase:
    """Lease a locked row to `by` under a new token."""
    return _leased(row, by=by, at=at)


def _leased(row: ReviewCase, *, by: User, at: datetime) -> ReviewCase:
    is_renewal = row.is_leased(at=at) and row.leased_by_id == by.pk and row.lease_token is not None
    token = row.lease_token if is_renewal and row.lease_token else uuid4()
    row.lease(by_id=by.pk, until=at + LEASE, token=token)
    return row


def _worst(subject: Subject, evidence: Evidence) -> policy_document.Category | None:
    if subject.kind == "adapter" or evidence.categories is None:
        return None
    judged = policy_document.load(evidence.policy_version)
    return judged.worst(evidence.categories, stage=subject.kind)
