"""Decisions: refuse automatically, decide a case, reverse after an appeal.

Each writes one row that is never changed, its statement of reasons and its log entry, and tells the
owner of the subject, all in one transaction; the mail goes out after the commit.
"""

import hashlib
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from moderation import cases, policy, statements, tasks
from moderation.models import Decision, ReviewCase
from moderation.screening import ImageVerdict, PromptVerdict
from moderation.signals import decision_enforced
from moderation.subjects import Action, Subject
from provenance import log
from provenance.errors import ProofsheetError

ALLOW_REASONS = {
    "within_policy": "Within the policy",
    "context_excuses": "Medical, educational or art-historical context",
}
DONE = {"allow": "allowed", "refuse": "refused"}


class ReasonUnknown(ProofsheetError):
    """The reason is not one that the policy knows for this action."""

    default_code = "reason_unknown"
    default_message = "This reason does not belong to the decision."
    default_advice = "Choose one of the reasons in the list."
    default_status = 422


@transaction.atomic
def refuse_automatically(
    *,
    subject: Subject,
    verdict: PromptVerdict | ImageVerdict,
    evidence: dict[str, Any],
    at: datetime,
) -> Decision:
    """Refuse without a person; ``decision.statement`` holds the statement of reasons.

    Raises ValueError for a verdict that refuses nothing.
    """
    stage: policy.Stage = "prompt" if isinstance(verdict, PromptVerdict) else "image"
    worst = policy.load(verdict.policy_version).worst(verdict.categories, stage=stage)
    if verdict.verdict != "refuse" or worst is None:
        raise ValueError("the verdict does not refuse")
    decision = Decision(
        subject_kind=subject.kind,
        subject_id=subject.id,
        owner_id=subject.owner_id,
        action="refuse",
        is_automated=True,
        reason=worst.name,
        code=verdict.code,
        categories=verdict.categories,
        evidence=evidence,
        policy_version=verdict.policy_version,
        decided_at=at,
    )
    return _enforced(decision)


class NeedsSecondPerson(ProofsheetError):
    """A severe decision has effect only once a second person has confirmed it."""

    default_code = "needs_second_person"
    default_message = "This decision is severe, so a second person has to confirm it."
    default_advice = "Decide it at the review desk; another senior moderator then sees it there."
    default_status = 409


@transaction.atomic
def decide(
    case: ReviewCase,
    *,
    by: User,
    action: Action,
    reason: str,
    at: datetime,
    token: UUID,
    explanation: str = "",
) -> Decision:
    """Decide a leased case at once. `reason` is one of `reasons_for`'s keys.

    Raises cases.CaseDecided, cases.StaleLease when `token` is not that of a lease `by` holds,
    cases.OwnSubject, ReasonUnknown, NeedsSecondPerson.
    """
    row = checked(case, by=by, action=action, reason=reason, at=at, token=token)
    return enforce(row, by=by, action=action, reason=reason, explanation=explanation, at=at)


def checked(
    case: ReviewCase, *, by: User, action: Action, reason: str, at: datetime, token: UUID
) -> ReviewCase:
    """The case's locked row, if `by` may decide it so; raises what `decide` raises."""
    row = cases.locked(case)
    if row.status in (ReviewCase.Status.PROPOSED, ReviewCase.Status.DECIDED):
        raise cases.CaseDecided
    if row.lease_token != token or row.leased_by_id != by.pk or not row.is_leased(at=at):
        raise cases.StaleLease
    if row.owner_id == by.pk:
        raise cases.OwnSubject
    if reason not in reasons_for(action, policy_version=policy_version_of(row)):
        raise ReasonUnknown
    return row


def is_severe(case: ReviewCase, *, reason: str) -> bool:
    """Whether a second person has to confirm: its case or its reason is of a severest category."""
    categories = policy.load(policy_version_of(case)).categories
    involved = [categories[name] for name in (case.category, reason) if name in categories]
    return any(category.severity >= cases.SEVERE for category in involved)


def enforce(
    row: ReviewCase,
    *,
    by: User | None,
    action: Action,
    reason: str,
    explanation: str,
    at: datetime,
    confirmed_by: User | None = None,
) -> Decision:
    """Close a locked case with a decision that was checked before. Raises NeedsSecondPerson."""
    severe = is_severe(row, reason=reason)
    if severe and (confirmed_by is None or confirmed_by == by):
        raise NeedsSecondPerson
    row.close(at=at)
    decision = Decision(
        case=row,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        owner_id=row.owner_id,
        action=action,
        is_automated=False,
        decided_by=by,
        reason=reason,
        explanation=explanation,
        code=f"{row.subject_kind}_{DONE[action]}",
        categories=row.evidence.get("categories", {}),
        evidence=row.evidence,
        policy_version=policy_version_of(row),
        is_severe=severe,
        is_confirmed=confirmed_by is not None,
        confirmed_by=confirmed_by,
        decided_at=at,
    )
    return _enforced(decision)


def reverse(decision: Decision, *, by: User, explanation: str, at: datetime) -> Decision:
    """Undo a refusal: a new decision that names the old one and allows. In the caller's
    transaction.
    """
    return _enforced(
        Decision(
            subject_kind=decision.subject_kind,
            subject_id=decision.subject_id,
            owner_id=decision.owner_id,
            action="allow",
            is_automated=False,
            decided_by=by,
            reason="appeal_reversed",
            explanation=explanation,
            code=f"{decision.subject_kind}_allowed",
            categories=decision.categories,
            evidence=decision.evidence,
            policy_version=decision.policy_version,
            reverses=decision,
            decided_at=at,
        )
    )


def reasons_for(action: Action, *, policy_version: str) -> dict[str, str]:
    """Structured reasons and their titles: the policy's categories for a refusal."""
    if action == "allow":
        return ALLOW_REASONS
    categories = policy.load(policy_version).categories
    return {name: category.title for name, category in categories.items()}


def policy_version_of(case: ReviewCase) -> str:
    """The policy that the case was opened under, or the one in force where it names none."""
    version: str = case.evidence.get("policy_version") or policy.active("general").version
    return version


def digest(decision: Decision) -> str:
    """SHA-256 of what the decision says, hexadecimal; the log keeps only this."""
    said = {
        "subject": [decision.subject_kind, str(decision.subject_id)],
        "action": decision.action,
        "reason": decision.reason,
        "explanation": decision.explanation,
        "policy_version": decision.policy_version,
        "categories": decision.categories,
        "reverses": str(decision.reverses_id) if decision.reverses_id else None,
        "decided_at": decision.decided_at.isoformat(),
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _enforced(decision: Decision) -> Decision:
    """Write, log and send a new decision; whatever a receiver raises undoes all of it."""
    at = decision.decided_at
    decision.save()
    if decision.action == Decision.Action.REFUSE:
        statements.write(decision, at=at)
    log.append(
        kind="moderation.decision",
        subject=decision.id,
        body={"outcome": decision.action, "digest": digest(decision)},
        at=at,
    )
    decision_enforced.send(
        sender=Decision,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        outcome=decision.action,
        decision=decision,
    )
    transaction.on_commit(lambda: tasks.mail_decision.delay(str(decision.id)), robust=True)
    return decision
