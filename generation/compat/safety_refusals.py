"""Refusals and holds as clients of other makers are told: one ASCII line that SDKs show whole, its
address last, and everything once more as members for programs.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.urls import reverse

from config.core.errors import ProofsheetError
from generation.compat.category_names import openai_names
from generation.models import GenerationRequest
from moderation.models import Decision, Statement
from moderation.policy.rulebook import policy_document
from moderation.public_notices import addresses, issuers
from moderation.statements import issuing
from moderation.subjects.actions import RESTRICTIONS

# With exactly these words LiteLLM raises ContentPolicyViolationError.
REJECTED = "Your request was rejected as a result of the safety system"


class SafetyRefusal(ProofsheetError):
    """Nothing is delivered, and there is a statement of reasons."""

    default_code = "moderation_blocked"
    default_advice = ""

    def __init__(self, decision: Decision) -> None:
        address = addresses.address_of(decision)
        category = issuing.category_of(decision)
        reason = _ascii(category.title.lower())
        super().__init__(message=f"{REJECTED}: {reason}. Reasons and appeal: {address}")
        self.kind, self.reason, self.address = "refused", category.title, address
        self.issuer = issuers.issuer_of(decision).name
        self.members = {
            "moderation_details": {
                "moderation_stage": "input" if _is_of_input(decision) else "output",
                "categories": openai_names(flagged(decision)),
            },
            "statement_url": address,
            "appeal_url": addresses.appeal_address(address),
        }


class HeldForReview(ProofsheetError):
    """It is not refused: a person looks at it first, and then it is released or refused."""

    default_code = "moderation_held"
    default_advice = ""

    def __init__(self, request: GenerationRequest, subject_ids: Iterable[UUID]) -> None:
        path = reverse("generation-api:generation", args=[request.id])
        found = addresses.addresses_of_held(subject_ids)
        self.address = next(iter(found.values()), f"{settings.PUBLIC_URL}{path}")
        super().__init__(
            message="Your request is held until a person has looked at it; it is not refused, and "
            f"sending it again would make another one. What becomes of it: {self.address}"
        )
        self.kind, self.reason = "held", "A person looks at it first"
        self.issuer = settings.PROOFSHEET_PROVIDER
        self.members = {
            "moderation_details": {"moderation_stage": "unknown", "categories": []},
            "status_url": self.address,
            "generation_id": str(request.id),
        }


def refusal_of(subject_ids: Iterable[UUID]) -> SafetyRefusal | None:
    """The restriction in force for the first of the subjects that has one."""
    wanted = list(subject_ids)
    found = {
        statement.decision.subject_id: statement
        for statement in Statement.objects.filter(
            decision__subject_id__in=wanted,
            decision__action__in=RESTRICTIONS,
            decision__reversed_by__isnull=True,
        )
        .select_related("decision")
        .order_by("created_at")
    }
    statement = next((found[each] for each in wanted if each in found), None)
    if statement is None:
        return None
    return SafetyRefusal(statement.decision)


def flagged(decision: Decision) -> list[str]:
    """Names of the categories that it was refused for, the deciding one first."""
    rules = policy_document.load(decision.policy_version)
    stage: policy_document.Stage = "prompt" if decision.subject_kind == "prompt" else "image"
    over = [
        name
        for name, score in decision.categories.items()
        if name in rules.categories
        and rules.categories[name].thresholds[stage].verdict(score) != "allow"
    ]
    return list(dict.fromkeys([decision.reason, *over]))


def _is_of_input(decision: Decision) -> bool:
    return decision.subject_kind == "prompt" or decision.seen.is_uploaded


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
