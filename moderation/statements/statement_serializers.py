"""What the API says about statements of reasons."""

from rest_framework import serializers

from config.core.api.links import PathField
from config.core.api.paging import page_of
from moderation.models import Appeal, Decision, Statement, SubjectKind
from moderation.statements import issuing


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
        if appeal is None or appeal.appellant_id != statement.owner_id:
            return f"{statement.get_absolute_url()}#appeal"
        return appeal.get_absolute_url()


StatementPageSerializer = page_of(StatementSerializer)
