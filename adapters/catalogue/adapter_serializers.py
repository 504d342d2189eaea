"""What the API says about an adapter."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.contrib.auth.models import AnonymousUser
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from adapters.access import visibility
from adapters.catalogue.adapter_cards import examples_of
from adapters.catalogue.catalogue_forms import RANKS
from adapters.models import Adapter
from adapters.uploads import owner_actions
from adapters.uploads.owner_actions import Details
from config.core.api.links import UploadField
from config.core.api.strict_serializers import StrictSerializer

FIELDS = (
    "slug", "name", "description", "trigger", "licence", "tags", "model", "owner",
    "rank", "size_bytes", "sha256", "state", "visibility", "code", "created_at", "examples",
)  # fmt: skip


class ExampleSerializer(serializers.Serializer[Any]):
    url = serializers.CharField(help_text="Of the PNG, marked and signed.")
    prompt = serializers.CharField()
    seed = serializers.IntegerField()
    report_url = serializers.CharField(help_text="Where somebody who sees it reports it.")


class AdapterSerializer(serializers.ModelSerializer[Adapter]):
    """`rank` and `model` are null until the upload has been checked."""

    model = serializers.SlugRelatedField[Any](
        source="base_model", slug_field="slug", read_only=True, allow_null=True
    )
    owner = serializers.SerializerMethodField(help_text="Username; null for those that ship along.")
    examples = serializers.SerializerMethodField(help_text="Pictures made with it.")

    class Meta:
        model = Adapter
        fields: tuple[str, ...] = FIELDS
        read_only_fields: tuple[str, ...] = FIELDS

    @extend_schema_field(ExampleSerializer(many=True))
    def get_examples(self, adapter: Adapter) -> list[dict[str, Any]]:
        by = self.context.get("by") or AnonymousUser()
        return [asdict(card) for card in examples_of(adapter, by=by)]

    def get_owner(self, adapter: Adapter) -> str | None:
        return adapter.owner.get_username() if adapter.owner else None


@extend_schema_serializer(component_name="AdapterReport")  # provenance has a Report too
class InspectionReportSerializer(AdapterSerializer):
    """For its owner: with the report that `manage.py inspect_adapter --json` prints, and more."""

    report = serializers.JSONField(read_only=True)
    fitted_from = serializers.SlugRelatedField[Any](
        source="parent", slug_field="slug", read_only=True, allow_null=True
    )
    same_as = serializers.SerializerMethodField(
        help_text="Slug of an earlier adapter of yours, or a public one, whose layers are the same."
    )
    note = serializers.SerializerMethodField(
        help_text="What there is to say about this upload in one sentence, else empty."
    )

    class Meta(AdapterSerializer.Meta):
        fields = (*FIELDS, "report", "fitted_from", "parent_sha256", "same_as", "note")
        read_only_fields = fields

    def get_same_as(self, adapter: Adapter) -> str | None:
        twin = self._twin(adapter)
        return twin.slug if twin else None

    def get_note(self, adapter: Adapter) -> str:
        if not self.context.get("is_new", True):
            return owner_actions.known_sentence(adapter)
        twin = self._twin(adapter)
        return owner_actions.twin_sentence(twin) if twin else ""

    def _twin(self, adapter: Adapter) -> Adapter | None:
        return visibility.twin_of(adapter, by=self.context.get("by") or AnonymousUser())


class AdapterPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AdapterSerializer(many=True)


class CatalogueFilterSerializer(StrictSerializer):
    """What narrows the catalogue."""

    text = serializers.CharField(
        required=False, max_length=200, help_text="In the name, trigger or tags."
    )
    model = serializers.CharField(required=False, help_text="Slug of a base model.")
    rank_max = serializers.ChoiceField(choices=RANKS, required=False)
    whose = serializers.ChoiceField(choices=["mine", "shared"], required=False)
    project = serializers.UUIDField(required=False, help_text="Those of a project of yours alone.")


class UploadSerializer(StrictSerializer):
    """An upload. Without `model` it is found from the file."""

    file = UploadField(allow_empty_file=True, help_text="A .safetensors file.")
    name = serializers.CharField(required=False, max_length=120, default="")
    model = serializers.CharField(required=False, max_length=64, default="", allow_blank=True)
    trigger = serializers.CharField(required=False, max_length=120, default="", allow_blank=True)
    description = serializers.CharField(
        required=False, max_length=4000, default="", allow_blank=True
    )
    licence = serializers.CharField(required=False, max_length=200, default="", allow_blank=True)
    tags = serializers.CharField(
        required=False, max_length=300, default="", allow_blank=True, help_text="By commas."
    )
    shows_a_person = serializers.BooleanField(required=False, default=False)
    has_consent = serializers.BooleanField(required=False, default=False)

    def details(self) -> Details:
        said = {name: value for name, value in self.validated_data.items() if name != "file"}
        return Details(**said | {"tags": said["tags"].split(",")})
