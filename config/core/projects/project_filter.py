"""The query parameter by which every list is narrowed to a project."""

from __future__ import annotations

from rest_framework import serializers

from config.core.api.strict_serializers import StrictSerializer


class OfProjectSerializer(StrictSerializer):
    project = serializers.UUIDField(
        required=False,
        help_text="A project of yours; without it, the key's, or your own one in a browser.",
    )
