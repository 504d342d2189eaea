"""What the API says and takes where several cases are decided at once."""

from typing import Any

from rest_framework import serializers

from config.core.api.strict_serializers import StrictSerializer
from moderation.desk import bulk
from moderation.models import Decision, SubjectKind
from moderation.models.appeals import GROUNDS_MAX


class ChosenSerializer(StrictSerializer):
    """Several cases and one measure for them; `reason` as when deciding one."""

    cases = serializers.ListField(
        child=serializers.UUIDField(), help_text=f"Up to {bulk.MOST} identifiers."
    )
    action = serializers.ChoiceField(choices=Decision.Action.choices)
    reason = serializers.CharField(max_length=32)


class BulkDecideSerializer(ChosenSerializer):
    """As previewed, with what every owner reads in the statement of reasons."""

    explanation = serializers.CharField(max_length=GROUNDS_MAX, required=False, allow_blank=True)


class LineSerializer(serializers.Serializer[Any]):
    """A case in a list; `category` is a title, empty where nothing was scored or may be seen."""

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=SubjectKind.choices)
    severity = serializers.IntegerField()
    category = serializers.CharField(allow_blank=True)
    due_at = serializers.DateTimeField()


class LeftSerializer(serializers.Serializer[Any]):
    """A case that is left alone, and why: code and sentence as if it were decided alone."""

    case = serializers.UUIDField(source="line.id")
    code = serializers.CharField(source="why.code")
    title = serializers.CharField(source="why.message")


class PreviewSerializer(serializers.Serializer[Any]):
    """What deciding would do: the cases that it would reach, and those that it would not."""

    reached = LineSerializer(many=True)
    left = LeftSerializer(many=True)


class OutcomeSerializer(serializers.Serializer[Any]):
    """What was decided. `batch` undoes all of it before `undo_until`, when it takes effect."""

    batch = serializers.UUIDField()
    undo_until = serializers.DateTimeField(source="until")
    decided = serializers.IntegerField()
    left = LeftSerializer(many=True)
    gone = serializers.IntegerField(help_text="Chosen cases that you do not see.")


class UndoneSerializer(serializers.Serializer[Any]):
    """How many cases wait in the queue again."""

    undone = serializers.IntegerField()
