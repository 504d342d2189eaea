"""What the API says and takes where reviewers work on cases, alone or among themselves."""

from typing import Any

from rest_framework import serializers

from config.core.api.paging import page_of
from config.core.api.strict_serializers import StrictSerializer
from moderation.models import CaseNote


class CaseNoteSerializer(serializers.ModelSerializer[CaseNote]):
    """A reviewer's note on a case; `author` is null once the account is gone."""

    author = serializers.CharField(
        source="author.username", default=None, read_only=True, allow_null=True
    )

    class Meta:
        model = CaseNote
        fields = ("id", "author", "text", "written_at")
        read_only_fields = fields


CaseNotePageSerializer = page_of(CaseNoteSerializer)


class WriteNoteSerializer(StrictSerializer):
    """What to tell whoever works on the case next."""

    text = serializers.CharField(allow_blank=True, help_text="1 to 2,000 characters.")


class AssignmentSerializer(serializers.Serializer[Any]):
    """Whose the case is, null for nobody's, and the reviewers whose it can be."""

    assigned_to = serializers.CharField(allow_null=True)
    assignable_to = serializers.ListField(child=serializers.CharField())


class AssignSerializer(StrictSerializer):
    """Whose the case is to be."""

    to = serializers.CharField(allow_blank=True, help_text="A reviewer's name, or empty: nobody's.")
