"""What the API says about appeals, to appellants and to those who hear them, and what it takes."""

from typing import Any
from uuid import UUID

from rest_framework import serializers

from config.core.api.links import PathField
from config.core.api.paging import page_of
from config.core.api.strict_serializers import StrictSerializer
from moderation.appeals import appeal_detail
from moderation.models import Appeal, Decision, Statement, SubjectKind
from moderation.models.appeals import GROUNDS_MAX


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


AppealPageSerializer = page_of(AppealSerializer)


class ContestedSerializer(serializers.ModelSerializer[Decision]):
    """The decision that is contested; who made it is not named."""

    stage = serializers.ChoiceField(source="subject_kind", choices=SubjectKind.choices)

    class Meta:
        model = Decision
        fields = (
            "id", "stage", "subject_id", "action", "days", "reason", "explanation",
            "policy_version", "is_automated", "decided_at",
        )  # fmt: skip
        read_only_fields = fields


class HearingSerializer(serializers.ModelSerializer[Appeal]):
    """An appeal as whoever may hear it sees it, with the evidence of the decision."""

    is_by_notifier = serializers.SerializerMethodField(help_text="Of a report, not the owner.")
    decision = ContestedSerializer(read_only=True)
    evidence = serializers.SerializerMethodField()

    class Meta:
        model = Appeal
        fields = (
            "id", "status", "grounds", "is_by_notifier", "lodged_at", "due_at", "decision",
            "evidence",
        )  # fmt: skip
        read_only_fields = fields

    def get_is_by_notifier(self, appeal: Appeal) -> bool:
        return appeal.report_id is not None

    def get_evidence(self, appeal: Appeal) -> dict[str, Any]:
        return appeal_detail.told_evidence(appeal)


HearingPageSerializer = page_of(HearingSerializer)


class HearSerializer(StrictSerializer):
    """How an appeal ends; its appellant reads `reasons`."""

    outcome = serializers.ChoiceField(choices=["upheld", "reversed"])
    reasons = serializers.CharField(max_length=GROUNDS_MAX)
    category = serializers.CharField(
        max_length=32,
        required=False,
        help_text="Where what was reported stays and you reverse that: the rule that it breaks.",
    )
