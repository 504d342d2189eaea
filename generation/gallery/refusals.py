"""Why a prompt or an image was refused, as its owner is told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from moderation.models import Decision, Statement
from moderation.statements import issuing
from moderation.subjects.actions import RESTRICTIONS


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a prompt or an image was refused or restricted, where its statement stands for the
    account, and the decision itself. `reason` names the policy's category in a few words.
    """

    code: str
    reason: str
    statement: UUID
    is_automated: bool
    statement_url: str
    decision: Decision


def refusals_of(subject_ids: Iterable[UUID]) -> dict[UUID, Refusal]:
    """The restriction in force for each subject that has one; a reversed one is not in force."""
    statements = (
        Statement.objects.filter(
            decision__subject_id__in=list(subject_ids),
            decision__action__in=RESTRICTIONS,
            decision__reversed_by__isnull=True,
        )
        .select_related("decision")
        .order_by("created_at")
    )
    return {
        statement.decision.subject_id: Refusal(
            code=statement.decision.code,
            reason=issuing.category_of(statement.decision).title.lower(),
            statement=statement.id,
            is_automated=statement.decision.is_automated,
            statement_url=statement.get_absolute_url(),
            decision=statement.decision,
        )
        for statement in statements
    }
