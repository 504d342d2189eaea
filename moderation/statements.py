"""Statements of reasons: write one for each refusal, find it for its owner, say what it quotes."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import QuerySet

from moderation import policy, transparency
from moderation.models import Decision, Statement
from provenance.errors import ProofsheetError

POLICY_URL = "https://proofsheet.example/policies/{version}"
NOUNS = {"prompt": "prompt", "image": "image", "adapter": "adapter"}


class StatementNotFound(ProofsheetError):
    """There is no such statement, or it belongs to somebody else."""

    default_code = "statement_not_found"
    default_message = "There is no such statement among yours."
    default_advice = "Check the address, and that you are signed in with the right account."
    default_status = 404


def write(decision: Decision, *, at: datetime) -> Statement:
    """Write the statement of a refusal in the decision's transaction."""
    category = category_of(decision)
    case = transparency.Case(
        kind=decision.subject_kind,
        category=category,
        facts=_facts(decision, category),
        is_detected_automatically="categories" in decision.evidence,
        is_decided_automatically=decision.is_automated,
        content_date=_content_date(decision),
        application_date=at.date(),
        puid=str(decision.id),
        policy_url=POLICY_URL.format(version=decision.policy_version),
    )
    return Statement.objects.create(
        decision=decision,
        owner_id=decision.owner_id,
        fields=transparency.fields(case),
        created_at=at,
    )


def of_owner(*, by: User) -> QuerySet[Statement]:
    """The user's own statements, newest first."""
    mine = Statement.objects.filter(owner=by).select_related("decision", "decision__appeal")
    return mine.order_by("-created_at", "id")


def find(statement_id: UUID, *, by: User) -> Statement:
    """One of the user's own statements; raises StatementNotFound for anybody else's."""
    found = of_owner(by=by).filter(id=statement_id).first()
    if found is None:
        raise StatementNotFound
    return found


def category_of(decision: Decision) -> policy.Category:
    """The policy category that the refusal names."""
    return policy.load(decision.policy_version).categories[decision.reason]


def quoted(decision: Decision) -> list[tuple[int, int, str]]:
    """Spans of the prompt that the notice may quote: none once a severe category is involved."""
    active = policy.load(decision.policy_version)
    by_rule = {rule.id: active.categories[rule.category] for rule in active.rules}
    matched = [tuple(match) for match in decision.evidence.get("matched", [])]
    involved = [
        category_of(decision),
        *(by_rule[rule] for _, _, rule in matched if rule in by_rule),
    ]
    return matched if all(category.names_span for category in involved) else []


def _facts(decision: Decision, category: policy.Category) -> str:
    noun = NOUNS[decision.subject_kind]
    if decision.is_automated:
        how = (
            f"Rules and a classifier scored the {noun} above the policy's limit "
            "and refused it at once."
        )
    else:
        how = f"A reviewer looked at the {noun}, which had been held, and refused it."
    return f"The {noun} was found to fall under “{category.title}”. {how}"


def _content_date(decision: Decision) -> Any:
    made = decision.evidence.get("created_at")
    return datetime.fromisoformat(made).date() if made else decision.decided_at.date()
