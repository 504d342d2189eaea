"""Images: everything that made one, how it is shown, and its marks."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation.gallery.list_filters import FilterSerializer
from generation.gallery.refusal_serializers import RefusalSerializer, refusal_of, waiting_url_of
from generation.models import GeneratedImage, ImageState, Restriction


class UsedAdapterSerializer(serializers.Serializer[Any]):
    """An adapter as it was when the image was made."""

    slug = serializers.CharField()
    name = serializers.CharField()
    weight = serializers.FloatField()
    sha256 = serializers.CharField()


class NoteSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class MadeFromSerializer(serializers.Serializer[Any]):
    """What an image or a request started from; `image` is null for an upload."""

    strength = serializers.FloatField()
    sha256 = serializers.CharField()
    image = serializers.UUIDField(allow_null=True)
    mask = serializers.CharField(
        default="", help_text="Digest of the mask that it was painted anew in; else empty."
    )


class ImageSerializer(serializers.Serializer[GeneratedImage]):
    """One image with everything that made it. `file_url` is null unless the image is released."""

    id = serializers.UUIDField()
    generation = serializers.UUIDField(source="request_id")
    index = serializers.IntegerField(help_text="Its place among the request's images, from 0.")
    status = serializers.ChoiceField(source="state", choices=ImageState.choices)
    code = serializers.CharField(help_text="Why it is held, withheld or restricted; else empty.")
    restriction = serializers.ChoiceField(
        choices=Restriction.choices, allow_blank=True, help_text="How a released one is shown."
    )
    is_blurred = serializers.BooleanField(help_text="The file is a stand-in until you ask for it.")
    url = serializers.SerializerMethodField()
    file_url = serializers.SerializerMethodField()
    sha256 = serializers.CharField()
    size_bytes = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    prompt = serializers.CharField()
    negative_prompt = serializers.CharField()
    model = serializers.CharField(source="model_slug")
    model_digest = serializers.CharField()
    steps = serializers.IntegerField()
    guidance = serializers.FloatField()
    guidance_rescale = serializers.FloatField()
    seed = serializers.IntegerField()
    adapters = UsedAdapterSerializer(many=True)
    source = serializers.SerializerMethodField()  # type: ignore[assignment] # a field, not the base's attribute
    notes = NoteSerializer(many=True)
    library_versions = serializers.DictField(child=serializers.CharField())
    refusal = serializers.SerializerMethodField()
    waiting_url = serializers.SerializerMethodField(
        help_text="While it is held: where its state is read without an account."
    )
    created_at = serializers.DateTimeField()
    released_at = serializers.DateTimeField(allow_null=True)

    def get_url(self, image: GeneratedImage) -> str:
        return self._absolute("image", image)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_file_url(self, image: GeneratedImage) -> str | None:
        is_given = image.state == ImageState.RELEASED and bool(image.file)
        return self._absolute("image-file", image) if is_given else None

    @extend_schema_field(MadeFromSerializer(allow_null=True))
    def get_source(self, image: GeneratedImage) -> Any:
        return image.source | {"image": image.source["image"] or None} if image.source else None

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, image: GeneratedImage) -> Any:
        return refusal_of(self, image)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_waiting_url(self, image: GeneratedImage) -> str | None:
        return waiting_url_of(self, image)

    def _absolute(self, name: str, image: GeneratedImage) -> str:
        path = reverse(f"generation-api:{name}", args=[image.id])
        return str(self.context["request"].build_absolute_uri(path))


class CredentialsSerializer(serializers.Serializer[Any]):
    """The marks of an image; `log_index` is null until the log's next checkpoint."""

    asset_id = serializers.UUIDField()
    watermark_id = serializers.CharField()
    manifest_sha256 = serializers.CharField()
    file_sha256 = serializers.CharField()
    fingerprint = serializers.CharField()
    log_index = serializers.IntegerField(allow_null=True)
    provider = serializers.CharField()
    system = serializers.CharField()
    signed_at = serializers.DateTimeField()


class ImageDetailSerializer(ImageSerializer):
    credentials = CredentialsSerializer(allow_null=True)


class ImageFilterSerializer(FilterSerializer):
    status = serializers.ChoiceField(choices=ImageState.choices, required=False)


class ImagePageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ImageSerializer(many=True)
