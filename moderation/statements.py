"""Statements of reasons: write one for each refusal, find it for its owner, say what it quotes."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.urls import reverse

from moderation import policy, transparency
from moderation.marked import Piece, pieces
from moderation.models import Appeal, Decision, Statement
from provenance.errors import ProofsheetError

MEANS = {
    "prompt": "Word rules and a learned classifier read the prompt",
    "image": "A classifier looked at the picture after it was drawn",
    "adapter": "The file was checked by programs",
}
STAGES = {
    "prompt": "Before anything was drawn: the prompt",
    "image": "After it was drawn: the picture",
    "adapter": "At the upload: the adapter",
}
NOUNS = {"prompt": "prompt", "image": "image", "adapter": "adapter"}


WINDOW = timedelta(days=184)  # no six months of any calendar are longer


class StatementNotFound(ProofsheetError):
    """There is no such statement, or it belongs to somebody else."""

    default_code = "statement_not_found"
    default_message = "There is no such statement among yours."
    default_advice = "Check the address, and that you are signed in with the right account."
    default_status = 404


@dataclass(frozen=True, slots=True)
class Notice:
    """A statement as its owner reads it. `is_open`: an appeal can still be lodged."""

    url: str
    kind: str
    code: str
    title: str
    facts: str
    stage: str
    means: str
    rule: str
    ground: str
    explanation: str
    prompt: tuple[Piece, ...]
    categories: tuple[str, ...]
    policy_version: str
    is_automated: bool
    decided_at: datetime
    deadline: datetime
    is_open: bool
    is_reversed: bool
    appeal: Appeal | None


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
        policy_url=settings.PUBLIC_URL
        + reverse("moderation:policy", args=[decision.policy_version]),
    )
    return Statement.objects.create(
        decision=decision,
        owner_id=decision.owner_id,
        fields=transparency.fields(case),
        created_at=at,
    )


def policy_url(version: str) -> str:
    """The public page of a policy version, in full."""
    return settings.PUBLIC_URL + reverse("moderation:policy", args=[version])


def of_owner(*, by: User) -> QuerySet[Statement]:
    """The user's own statements, newest first."""
    mine = Statement.objects.filter(owner=by).select_related(
        "decision", "decision__appeal", "decision__reversed_by"
    )
    return mine.order_by("-created_at", "id")


def contestable(*, by: User, at: datetime) -> QuerySet[Statement]:
    """Own statements that no appeal contests yet and whose window is open."""
    return of_owner(by=by).filter(
        decision__appeal__isnull=True,
        decision__reversed_by__isnull=True,
        decision__decided_at__gte=at - WINDOW,
    )


def deadline(decision: Decision) -> datetime:
    """Until when an appeal may be lodged."""
    return decision.decided_at + WINDOW


def notice(statement: Statement, *, at: datetime) -> Notice:
    """What the owner is told; the quoted words are marked unless a severe category is involved."""
    decision = statement.decision
    category = category_of(decision)
    appeal: Appeal | None = getattr(decision, "appeal", None)
    is_reversed = hasattr(decision, "reversed_by")
    until = deadline(decision)
    return Notice(
        url=statement.get_absolute_url(),
        kind=decision.subject_kind,
        code=decision.code,
        title=category.title,
        facts=statement.fields["decision_facts"],
        stage=STAGES[decision.subject_kind],
        means=_means(statement),
        rule=category.rule,
        ground=category.explanation,
        explanation=decision.explanation,
        prompt=tuple(pieces(decision.evidence.get("prompt", ""), quoted(decision))),
        categories=tuple(_flagged(decision)),
        policy_version=decision.policy_version,
        is_automated=decision.is_automated,
        decided_at=decision.decided_at,
        deadline=until,
        is_open=appeal is None and not is_reversed and at <= until,
        is_reversed=is_reversed,
        appeal=appeal,
    )


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


def _flagged(decision: Decision) -> list[str]:
    """Titles of the categories that the scores or the reviewer named, the deciding one first."""
    judged = policy.load(decision.policy_version)
    named = [decision.reason]
    if decision.subject_kind != "adapter":
        stage: policy.Stage = "prompt" if decision.subject_kind == "prompt" else "image"
        named += [
            name
            for name, score in decision.categories.items()
            if judged.categories[name].thresholds[stage].verdict(score) != "allow"
        ]
    return [judged.categories[name].title for name in dict.fromkeys(named)]


def _means(statement: Statement) -> str:
    """How programs took part in finding and in deciding, as one sentence."""
    found = (
        MEANS[statement.decision.subject_kind]
        if statement.fields["automated_detection"] == "Yes"
        else "A person noticed it"
    )
    if statement.decision.is_automated:
        return f"{found} and refused it without a person."
    return f"{found}; a person decided."


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
