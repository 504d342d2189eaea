"""Models that requests may name."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers


class SizeSerializer(serializers.Serializer[Any]):
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ModelSerializer(serializers.Serializer[Any]):
    """A model that requests may name. `sizes` are the ones that it delivers, the default first."""

    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    family = serializers.CharField()
    is_default = serializers.BooleanField()
    sizes = serializers.SerializerMethodField()
    default_steps = serializers.IntegerField()
    few_steps = serializers.IntegerField()
    default_guidance = serializers.FloatField()
    rank_ceiling = serializers.IntegerField()
    digest = serializers.CharField()
    licence = serializers.CharField()

    @extend_schema_field(SizeSerializer(many=True))
    def get_sizes(self, model: Any) -> list[dict[str, int]]:
        return [{"width": width, "height": height} for width, height in model.sizes]
