"""What the API says about an adapter."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from adapters.models import Adapter


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    """`rank` and `model` are null until the upload has been checked."""

    model = serializers.SlugRelatedField[Any](
        source="base_model", slug_field="slug", read_only=True, allow_null=True
    )
    owner = serializers.SerializerMethodField(help_text="Username; null for those that ship along.")

    class Meta:
        model = Adapter
        fields = (
            "slug", "name", "description", "trigger", "licence", "tags", "model", "owner",
            "rank", "size_bytes", "sha256", "state", "visibility", "code", "created_at",
        )  # fmt: skip
        read_only_fields = fields

    def get_owner(self, adapter: Adapter) -> str | None:
        return adapter.owner.get_username() if adapter.owner else None
