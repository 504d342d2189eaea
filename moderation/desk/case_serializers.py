"""What the API says about statements, appeals and cases, and what it takes."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from config.core.api.links import PathField
from config.core.api.strict_serializers import StrictSerializer
from moderation.appeals.hearing import GROUNDS_MAX
from moderation.cases import review_cases
from moderation.models import (
    Appeal,
    Decision,
    Intent,
    Perceived,
    ReviewCase,
    Statement,
    SubjectKind,
)
from moderation.policy.rulebook import policy_document
from moderation.statements import issuing
from moderation.subjects.actions import DAYS, Terms


class StatementSerializer(serializers.ModelSerializer[Statement]):
    """A statement of reasons; `fields` are those of the EU Transparency Database."""

    code = serializers.CharField(source="decision.code")
    action = serializers.ChoiceField(source="decision.action", choices=Decision.Action.choices)
    suspended_days = serializers.IntegerField(source="decision.days", allow_null=True)
    stage = serializers.ChoiceField(source="decision.subject_kind", choices=SubjectKind.choices)
    subject = serializers.UUIDField(source="decision.subject_id")
    category = serializers.CharField(source="decision.reason")
    categories = serializers.DictField(source="decision.categories", child=serializers.FloatField())
    explanation = serializers.CharField(source="decision.explanation")
    policy_version = serializers.CharField(source="decision.policy_version")
    is_automated = serializers.BooleanField(source="decision.is_automated")
    is_reversed = serializers.SerializerMethodField()
    decided_at = serializers.DateTimeField(source="decision.decided_at")
    appeal_until = serializers.SerializerMethodField()
    statement_url = PathField(source="get_absolute_url")
    appeal_url = serializers.SerializerMethodField(help_text="Where an appeal stands, or is lodged")
    statement = serializers.DictField(source="fields")

    class Meta:
        model = Statement
        fields = (
            "id", "code", "action", "suspended_days", "stage", "subject", "category", "categories",
            "explanation", "policy_version", "is_automated", "is_reversed", "decided_at",
            "appeal_until", "statement_url", "appeal_url", "statement",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_reversed(self, statement: Statement) -> bool:
        return hasattr(statement.decision, "reversed_by")

    def get_appeal_until(self, statement: Statement) -> str:
        return issuing.deadline(statement.decision).isoformat()

    def get_appeal_url(self, statement: Statement) -> str:
        appeal: Appeal | None = getattr(statement.decision, "appeal", None)
        return appeal.get_absolute_url() if appeal else f"{statement.get_absolute_url()}#appeal"


class AppealSerializer(serializers.ModelSerializer[Appeal]):
    """An appeal as its appellant sees it: never who hears it."""

    statement = serializers.SerializerMethodField(help_text="None where a report is contested")
    url = PathField(source="get_absolute_url")

    class Meta:
        model = Appeal
        fields = (
            "id", "statement", "grounds", "status", "lodged_at", "due_at", "heard_at", "reasons",
            "url",
        )  # fmt: skip
        read_only_fields = fields

    def get_statement(self, appeal: Appeal) -> UUID | None:
        statement: Statement | None = getattr(appeal.decision, "statement", None)
        return statement.id if statement else None


class LodgeSerializer(StrictSerializer):
    """An appeal to lodge against an own statement."""

    statement = serializers.UUIDField()
    grounds = serializers.CharField(max_length=GROUNDS_MAX)


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
        said["evidence"] = review_cases.shown(case)
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
    is_severe = serializers.BooleanField(required=False)

    def validate_category(self, name: str) -> str:
        if name not in policy_document.active("general").categories:
            raise serializers.ValidationError("The policy has no such category.")
        return name


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
        """The keywords of `intents.propose`."""
        data = dict(self.validated_data)
        terms = Terms(data.pop("days", None), data.pop("adapter", ""))
        return data | {"terms": terms}


class IntentSerializer(serializers.ModelSerializer[Intent]):
    """A decision that waits for its undo window, and a severe one for a second person."""

    class Meta:
        model = Intent
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


class StatementPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = StatementSerializer(many=True)


class AppealPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AppealSerializer(many=True)


class CasePageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CaseSerializer(many=True)
