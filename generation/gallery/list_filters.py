"""What every list is narrowed by."""

from __future__ import annotations

from rest_framework import serializers

from config.core.api.strict_serializers import StrictSerializer


class FilterSerializer(StrictSerializer):
    """Query parameters of a list."""

    model = serializers.CharField(required=False, help_text="Slug of a model.")
    prompt = serializers.CharField(
        required=False, max_length=200, help_text="Words that the prompt contains."
    )
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)
