"""What every list is narrowed by."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers

from config.core.projects.project_filter import OfProjectSerializer


class FilterSerializer(OfProjectSerializer):
    """Query parameters of a list."""

    model = serializers.CharField(required=False, help_text="Slug of a model.")
    prompt = serializers.CharField(
        required=False, max_length=200, help_text="Words that the prompt contains."
    )
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


def narrowed(rows: QuerySet[Any], asked: dict[str, Any], *, columns: dict[str, str]) -> Any:
    """`rows` by the values of a FilterSerializer; `columns` name the lookups that differ."""
    lookups = {
        "prompt": "prompt__icontains",
        "created_after": "created_at__gt",
        "created_before": "created_at__lt",
    } | columns
    said = {lookups[name]: value for name, value in asked.items() if name in lookups}
    return rows.filter(**said)
