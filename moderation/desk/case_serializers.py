"""What the API says about cases and decisions on them, and what it takes."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from config.core.api.paging import page_of
from config.core.api.strict_serializers import StrictSerializer
from moderation.cases import review_cases
from moderation.models import Decision, PendingDecision, Perceived, ReviewCase, SubjectKind
from moderation.models.appeals import GROUNDS_MAX
from moderation.policy.rulebook import policy_document
from moderation.subjects import evidence
from moderation.subjects.actions import DAYS, Terms


class CaseSerializer(serializers.ModelSerializer[ReviewCase]):
    """A case with the evidence frozen when it was opened; the owner is not named.

    A blind one shows neither category nor what the screening said before it is decided.
    """

    is_blind = serializers.BooleanField(source="is_masked", read_only=True)
    assigned_to = serializers.CharField(
        source="assigned_to.username", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = ReviewCase
        fields = (
            "id", "subject_kind", "subject_id", "category", "severity", "status", "opened_at",
            "due_at", "lease_expires_at", "decided_at", "is_blind", "assigned_to", "evidence",
        )  # fmt: skip
        read_only_fields = fields

    def to_representation(self, case: ReviewCase) -> dict[str, Any]:
        said: dict[str, Any] = super().to_representation(case)
        said["evidence"] = evidence.as_told(review_cases.shown(case))
        return said | {"category": ""} if case.is_masked else said


class ClaimedCaseSerializer(CaseSerializer):
    """A case under the caller's lease, with the token that a decision needs."""

    lease_token = serializers.UUIDField(read_only=True)

    class Meta(CaseSerializer.Meta):
        fields = (*CaseSerializer.Meta.fields, "lease_token")  # type: ignore[assignment] # one more


class QueueFilterSerializer(StrictSerializer):
    """Which cases of the queue are wanted; the filter of the review desk."""

    kind = serializers.ChoiceField(choices=SubjectKind.choices, required=False)
    category = serializers.CharField(required=False, help_text="A category of the policy.")
    whose = serializers.ChoiceField(choices=["mine", "unassigned"], required=False)
    due = serializers.ChoiceField(choices=["overdue", "today"], required=False)
    project = serializers.UUIDField(required=False)
    is_severe = serializers.BooleanField(required=False)

    def validate_category(self, name: str) -> str:
        if name not in policy_document.active("general").categories:
            raise serializers.ValidationError("The policy has no such category.")
        return name


class TokenSerializer(StrictSerializer):
    """The token of the lease that the caller holds."""

    token = serializers.UUIDField()


class DecideSerializer(StrictSerializer):
    """A decision on a claimed case."""

    token = serializers.UUIDField()
    action = serializers.ChoiceField(choices=Decision.Action.choices)
    reason = serializers.CharField(max_length=32)
    days = serializers.ChoiceField(
        choices=DAYS, required=False, help_text="Of a suspension: how long it lasts."
    )
    adapter = serializers.CharField(
        max_length=64, required=False, help_text="Of a withdrawal: the adapter's slug."
    )
    explanation = serializers.CharField(max_length=GROUNDS_MAX, required=False, allow_blank=True)
    perceived = serializers.ChoiceField(
        choices=Perceived.choices,
        required=False,
        help_text="Of a blind picture: how the person in it is presented, as you see it.",
    )

    def said(self) -> dict[str, Any]:
        """The keywords of `pending_decisions.propose`."""
        data = dict(self.validated_data)
        terms = Terms(data.pop("days", None), data.pop("adapter", ""))
        return data | {"terms": terms}


@extend_schema_serializer(component_name="Intent")  # as clients have known it
class PendingDecisionSerializer(serializers.ModelSerializer[PendingDecision]):
    """A decision that waits for its undo window, and a severe one for a second person."""

    class Meta:
        model = PendingDecision
        fields = (
            "case",
            "action",
            "days",
            "adapter",
            "reason",
            "explanation",
            "is_severe",
            "decided_at",
            "due_at",
        )
        read_only_fields = fields


CasePageSerializer = page_of(CaseSerializer)
