"""Decisions: refuse automatically, decide a case, reverse after an appeal.

Each writes one row that is never changed, its statement of reasons and its log entry, and tells the
owner of the subject, all in one transaction; the mail goes out after the commit.
"""

import hashlib
import json
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from config.core import events
from config.core.errors import ProofsheetError
from config.core.projects import personal
from moderation.account_status import restrictions
from moderation.cases import reported, review_cases
from moderation.decisions import allowed_actions
from moderation.models import Decision, ReviewCase
from moderation.policy.rulebook import policy_document
from moderation.screening.classify import ImageVerdict, PromptVerdict
from moderation.signals import decision_enforced
from moderation.statements import issuing
from moderation.subjects import withdrawable_adapters as adapters
from moderation.subjects.actions import RESTRICTIONS, Outcome, Terms, code_of, outcome_of
from moderation.subjects.evidence import Evidence
from moderation.subjects.subject import Action, Kind, Subject
from provenance.log import transparency_log

NO_TERMS = Terms()


@transaction.atomic
def refuse_automatically(
    *,
    subject: Subject,
    verdict: PromptVerdict | ImageVerdict,
    evidence: Evidence,
    at: datetime,
) -> Decision:
    """Refuse without a person; ``decision.statement`` holds the statement of reasons.

    Raises ValueError for a verdict that refuses nothing.
    """
    stage: policy_document.Stage = "prompt" if isinstance(verdict, PromptVerdict) else "image"
    worst = policy_document.load(verdict.policy_version).worst(verdict.categories, stage=stage)
    reason = verdict.named or (worst.name if worst else "")
    if verdict.verdict != "refuse" or not reason:
        raise ValueError("the verdict does not refuse")
    decision = Decision(
        subject_kind=subject.kind,
        subject_id=subject.id,
        owner_id=subject.owner_id,
        project_id=subject.project_id or personal.id_of(subject.owner_id),
        end_user_id=subject.end_user_id,
        action="refuse",
        is_automated=True,
        reason=reason,
        code=verdict.code,
        categories=verdict.categories,
        evidence=evidence.to_json(),
        policy_version=verdict.policy_version,
        overlay=verdict.overlay,
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
    terms: Terms = NO_TERMS,
) -> Decision:
    """Decide a leased case at once. `reason` is one of `allowed_actions.reasons_of`'s keys.

    Raises review_cases.CaseDecided, StaleLease when `token` is not that of a lease `by` holds,
    OwnSubject, NeedsSecondPerson, and what `allowed_actions.check` raises.
    """
    row = checked(case, by=by, action=action, reason=reason, at=at, token=token, terms=terms)
    return enforce(
        row, by=by, action=action, reason=reason, explanation=explanation, at=at, terms=terms
    )


def checked(
    case: ReviewCase,
    *,
    by: User,
    action: Action,
    reason: str,
    at: datetime,
    token: UUID,
    terms: Terms = NO_TERMS,
) -> ReviewCase:
    """The case's locked row, if `by` may decide it so; raises what `decide` raises."""
    row = review_cases.locked(case)
    if row.status in (ReviewCase.Status.PROPOSED, ReviewCase.Status.DECIDED):
        raise review_cases.CaseDecided
    if row.lease_token != token or row.leased_by_id != by.pk or not row.is_leased(at=at):
        raise review_cases.StaleLease
    if review_cases.is_own(row, by=by):
        raise review_cases.OwnSubject
    allowed_actions.check(row, action=action, reason=reason, terms=terms)
    return row


def enforce(
    row: ReviewCase,
    *,
    by: User | None,
    action: Action,
    reason: str,
    explanation: str,
    at: datetime,
    confirmed_by: User | None = None,
    terms: Terms = NO_TERMS,
) -> Decision:
    """Close a locked case with a decision that was checked before. Raises NeedsSecondPerson."""
    severe = allowed_actions.is_severe(row, action=action, reason=reason)
    if severe and (confirmed_by is None or confirmed_by == by):
        raise NeedsSecondPerson
    row.close(at=at)
    decision = Decision(
        case=row,
        subject_kind=row.subject_kind,
        subject_id=row.subject_id,
        owner_id=row.owner_id,
        project_id=row.project_id,
        end_user_id=row.end_user_id,
        action=action,
        days=terms.days,
        is_automated=False,
        decided_by=by,
        reason=reason,
        explanation=explanation,
        code=code_of(action, _kind(row.subject_kind)),
        categories=row.seen.categories or {},
        evidence=row.evidence,
        policy_version=review_cases.policy_version_of(row),
        overlay=row.seen.overlay or "",
        is_severe=severe,
        is_confirmed=confirmed_by is not None,
        confirmed_by=confirmed_by,
        decided_at=at,
    )
    _enforced(decision)
    if action == "withdraw_adapter" and (adapter := adapters.find(terms.adapter)):
        _enforced(_withdrawal(decision, adapter))
    return decision


def reverse(
    decision: Decision, *, by: User, explanation: str, at: datetime, category: str = ""
) -> Decision:
    """Undo a decision and what followed from it: a new one that names the old one and allows what
    it restricted, or refuses under `category` what it allowed although it was reported. In the
    caller's transaction.

    Raises allowed_actions.ReasonUnknown for a category that the policy does not know.
    """
    action: Action = "allow" if decision.action in RESTRICTIONS else "refuse"
    known = allowed_actions.reasons_for("refuse", policy_version=decision.policy_version)
    if action == "refuse" and category not in known:
        raise allowed_actions.ReasonUnknown
    made = _enforced(
        Decision(
            subject_kind=decision.subject_kind,
            subject_id=decision.subject_id,
            owner_id=decision.owner_id,
            project_id=decision.project_id,
            end_user_id=decision.end_user_id,
            overlay=decision.overlay,
            action=action,
            is_automated=False,
            decided_by=by,
            reason="appeal_reversed" if action == "allow" else category,
            explanation=explanation,
            code=code_of(action, _kind(decision.subject_kind)),
            categories=decision.categories,
            evidence=decision.evidence,
            policy_version=decision.policy_version,
            reverses=decision,
            decided_at=at,
        )
    )
    said = {
        "decision_id": str(decision.id),
        "by_decision_id": str(made.id),
        "action": action,
        "subject": {"kind": decision.subject_kind, "id": str(decision.subject_id)},
    }
    events.tell(decision.project_id, "decision.overturned", said, end_user_id=made.end_user_id)
    for consequence in decision.consequences.filter(reversed_by__isnull=True):
        reverse(consequence, by=by, explanation=explanation, at=at)
    return made


def digest(decision: Decision) -> str:
    """SHA-256 of what the decision says and its salt, hexadecimal; the log keeps only this.

    Subjects, reasons and times are known or few: without the salt anybody could try them all.
    """
    said: dict[str, Any] = {
        "subject": [decision.subject_kind, str(decision.subject_id)],
        "action": decision.action,
        "reason": decision.reason,
        "explanation": decision.explanation,
        "policy_version": decision.policy_version,
        "categories": decision.categories,
        "reverses": str(decision.reverses_id) if decision.reverses_id else None,
        "decided_at": decision.decided_at.isoformat(),
    }
    if decision.salt:
        said["salt"] = bytes(decision.salt).hex()
    if decision.overlay:
        said["overlay"] = decision.overlay
    if decision.days is not None:
        said["days"] = decision.days
    if decision.follows_id is not None:
        said["follows"] = str(decision.follows_id)
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _enforced(decision: Decision) -> Decision:
    """Write, log and send a new decision; whatever a receiver raises undoes all of it."""
    at = decision.decided_at
    decision.save()
    if decision.action in RESTRICTIONS:
        issuing.write(decision, at=at)
    restrictions.follow(decision)
    transparency_log.append(
        kind="moderation.decision",
        subject=decision.id,
        body={"outcome": decision.action, "digest": digest(decision)},
        at=at,
    )
    decision_enforced.send(
        sender=Decision,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        outcome=_outcome(decision),
        decision=decision,
    )
    events.mail("moderation.tasks.mail_decision", str(decision.id))
    _tell_reporters(decision)
    return decision


def _tell_reporters(decision: Decision) -> None:
    """Mail everybody who reported what was decided; a report may have joined a case that something
    else had opened.
    """
    first = decision
    while first.reverses is not None:
        first = first.reverses
    for report_id in reported.of_case(first.case_id).values_list("id", flat=True):
        events.mail("moderation.tasks.mail_notifier", str(report_id))


def _outcome(decision: Decision) -> Outcome:
    """What the subject's room is to do; a withdrawn adapter comes back as it was."""
    was = decision.reverses
    if was is not None and was.subject_kind == "adapter" and was.action == "withdraw_adapter":
        return "restore"
    return outcome_of(_action(decision.action), _kind(decision.subject_kind))


def _withdrawal(decision: Decision, adapter: Subject) -> Decision:
    """The decision about the adapter that follows from one about a picture made with it."""
    return Decision(
        subject_kind=adapter.kind,
        subject_id=adapter.id,
        owner_id=adapter.owner_id,
        project_id=adapter.project_id,
        action="withdraw_adapter",
        is_automated=False,
        decided_by=decision.decided_by,
        reason=decision.reason,
        explanation=decision.explanation,
        code=code_of("withdraw_adapter", adapter.kind),
        categories={},
        evidence={},
        policy_version=decision.policy_version,
        is_severe=decision.is_severe,
        is_confirmed=decision.is_confirmed,
        confirmed_by=decision.confirmed_by,
        follows=decision,
        decided_at=decision.decided_at,
    )


def _action(name: str) -> Action:
    return cast(Action, name)


def _kind(name: str) -> Kind:
    return cast(Kind, name)
