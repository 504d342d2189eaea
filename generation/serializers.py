"""What the API reads and writes. A serializer checks types; the domain checks everything else."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation import estimates, failures, tiers
from generation.cards import Refusal
from generation.drafts import Draft
from generation.models import (
    GeneratedImage,
    GenerationRequest,
    ImageState,
    RequestStatus,
    Restriction,
    SourcePicture,
    SourceState,
)


class AdapterUseSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=64)
    weight = serializers.FloatField(default=1.0, help_text="-2 to 2; 0 leaves it out.")


@extend_schema_field(OpenApiTypes.BINARY)
class UploadField(serializers.FileField):
    """A file that is sent; the schema would call it an address otherwise."""


class DraftSerializer(serializers.Serializer[Draft]):
    """A request to make an image or a few. Everything but the prompt may be left to the model."""

    prompt = serializers.CharField(
        trim_whitespace=False, allow_blank=True, help_text="At most 2,000 characters."
    )
    negative_prompt = serializers.CharField(default="", trim_whitespace=False, allow_blank=True)
    model = serializers.CharField(
        default=None, allow_null=True, help_text="A slug of `/api/v1/models/`."
    )
    steps = serializers.IntegerField(default=None, allow_null=True, help_text="1 to 100.")
    guidance = serializers.FloatField(default=None, allow_null=True, help_text="0 to 20.")
    seed = serializers.IntegerField(
        default=None, allow_null=True, help_text="0 to 2³² - 1; random when left out."
    )
    width = serializers.IntegerField(default=None, allow_null=True)
    height = serializers.IntegerField(default=None, allow_null=True)
    adapters = AdapterUseSerializer(many=True, default=list, help_text="At most four.")
    tier = serializers.CharField(
        default="standard", help_text="interactive (few steps only), standard or batch."
    )
    count = serializers.IntegerField(
        default=1, help_text="1 to 4 images; each after the first counts the seed up."
    )
    source_image = serializers.UUIDField(
        default=None, allow_null=True, help_text="A released image of yours to start from."
    )
    picture = UploadField(
        default=None,
        allow_null=True,
        allow_empty_file=True,
        help_text="Or an upload to start from, PNG, JPEG or WebP (as multipart/form-data).",
    )
    strength = serializers.FloatField(
        default=None,
        allow_null=True,
        help_text="0.05 to 1: how far it may depart from that picture; 0.6 when left out.",
    )
    visible_label = serializers.CharField(
        default=None,
        allow_null=True,
        help_text="A label that people can see: none, bottom-right, bottom-left, top-right or "
        "top-left; the operator's usual one when left out.",
    )
    visible_label_text = serializers.CharField(
        default=None,
        allow_null=True,
        help_text="What it says: one of the texts that the operator offers.",
    )

    def draft(self) -> Draft:
        said = self.validated_data
        adapters = tuple((use["slug"], use["weight"]) for use in said["adapters"])
        image, file = said["source_image"], said["picture"]
        limit = settings.PROOFSHEET_SOURCE_MAX_BYTES
        return Draft(
            **said
            | {
                "adapters": adapters,
                "source_image": str(image) if image else None,
                "picture": file.read(limit + 1) if file is not None else None,
            }
        )


class RefusalSerializer(serializers.Serializer[Refusal]):
    """Why it was refused, the statement of reasons, and where an appeal is lodged."""

    code = serializers.CharField()
    is_automated = serializers.BooleanField()
    statement_url = serializers.SerializerMethodField()
    appeal_url = serializers.SerializerMethodField()

    def get_statement_url(self, refusal: Refusal) -> str:
        return self._absolute(refusal.statement_url)

    def get_appeal_url(self, refusal: Refusal) -> str:
        return self._absolute(f"{refusal.statement_url}appeal/")

    def _absolute(self, path: str) -> str:
        return str(self.context["request"].build_absolute_uri(path))


class FailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    advice = serializers.CharField()


class FailedImageSerializer(FailureSerializer):
    """One of several images that failed; the others are not lost by it."""

    index = serializers.IntegerField()
    seed = serializers.IntegerField()


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


class SourceSerializer(serializers.Serializer[SourcePicture]):
    """The picture that a request starts from. Nothing uses it before it has passed."""

    strength = serializers.FloatField()
    sha256 = serializers.CharField()
    image = serializers.UUIDField(source="image_id", allow_null=True)
    status = serializers.ChoiceField(source="state", choices=SourceState.choices)
    code = serializers.CharField(help_text="Why it is held or refused; else empty.")


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
    seed = serializers.IntegerField()
    adapters = UsedAdapterSerializer(many=True)
    source = serializers.SerializerMethodField()  # type: ignore[assignment] # a field, not the base's attribute
    notes = NoteSerializer(many=True)
    library_versions = serializers.DictField(child=serializers.CharField())
    refusal = serializers.SerializerMethodField()
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
        return _refusal(self, image)

    def _absolute(self, name: str, image: GeneratedImage) -> str:
        path = reverse(f"generation-api:{name}", args=[image.id])
        return str(self.context["request"].build_absolute_uri(path))


class GenerationSerializer(serializers.Serializer[GenerationRequest]):
    """A request with its images. `position` is the place in line from 1 while it waits."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=RequestStatus.choices)
    is_held = serializers.BooleanField(help_text="Its prompt waits for a person's decision.")
    is_cancelling = serializers.SerializerMethodField()
    code = serializers.CharField(help_text="Why it was refused or failed; else empty.")
    url = serializers.SerializerMethodField()
    prompt = serializers.CharField()
    negative_prompt = serializers.CharField()
    model = serializers.CharField(source="model.slug")
    steps = serializers.IntegerField()
    guidance = serializers.FloatField()
    seed = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    visible_label = serializers.CharField(
        source="label", help_text="Its corner and its text; else empty."
    )
    adapters = serializers.SerializerMethodField()
    source = serializers.SerializerMethodField()  # type: ignore[assignment] # a field, not the base's attribute
    tier = serializers.SerializerMethodField()
    position = serializers.SerializerMethodField()
    predicted_ms = serializers.IntegerField(help_text="Device time that it should take in all.")
    device_ms = serializers.IntegerField(allow_null=True, help_text="Device time that it took.")
    count = serializers.IntegerField(help_text="How many images were asked for.")
    images = serializers.SerializerMethodField()
    failed_images = serializers.SerializerMethodField()
    timings = serializers.DictField(
        child=serializers.FloatField(), help_text="Milliseconds by stage, over all its images."
    )
    refusal = serializers.SerializerMethodField()
    failure = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    queued_at = serializers.DateTimeField(allow_null=True)
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)

    def get_is_cancelling(self, found: GenerationRequest) -> bool:
        return found.is_active and found.cancel_requested_at is not None

    def get_url(self, found: GenerationRequest) -> str:
        path = reverse("generation-api:generation", args=[found.id])
        return str(self.context["request"].build_absolute_uri(path))

    @extend_schema_field(AdapterUseSerializer(many=True))
    def get_adapters(self, found: GenerationRequest) -> list[dict[str, Any]]:
        rows = sorted(found.request_adapters.all(), key=lambda row: row.position)
        return [{"slug": row.adapter.slug, "weight": row.weight} for row in rows]

    @extend_schema_field(SourceSerializer(allow_null=True))
    def get_source(self, found: GenerationRequest) -> Any:
        source = getattr(found, "source", None)
        return SourceSerializer(source).data if source else None

    def get_tier(self, found: GenerationRequest) -> str:
        return tiers.name_of(found.priority)

    def get_position(self, found: GenerationRequest) -> int | None:
        return estimates.position(found)

    @extend_schema_field(ImageSerializer(many=True))
    def get_images(self, found: GenerationRequest) -> Any:
        kept = [image for image in found.images.all() if image.deleted_at is None]
        ordered: Any = sorted(kept, key=lambda image: image.index)  # stubs know one object only
        return ImageSerializer(ordered, many=True, context=self.context).data

    @extend_schema_field(FailedImageSerializer(many=True))
    def get_failed_images(self, found: GenerationRequest) -> list[dict[str, Any]]:
        return [
            asdict(failures.explain(failure["code"], [failure]))
            | {"index": failure["index"], "code": failure["code"]}
            | {"seed": found.seed_of(failure["index"])}
            for failure in found.failures
        ]

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, found: GenerationRequest) -> Any:
        return _refusal(self, found)

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, found: GenerationRequest) -> Any:
        if found.status != RequestStatus.FAILED:
            return None
        why = failures.explain(found.code, found.failures)
        return {"code": found.code, "message": why.message, "advice": why.advice}


def _refusal(serializer: serializers.BaseSerializer[Any], subject: Any) -> Any:
    """From the context's `refusals`, which one query fetched for the whole page. A request may be
    refused for the picture that it was to start from."""
    refusals, source = serializer.context["refusals"], getattr(subject, "source", None)
    refusal = refusals.get(subject.id) or refusals.get(getattr(source, "id", None))
    return RefusalSerializer(refusal, context=serializer.context).data if refusal else None


class UsageSerializer(serializers.Serializer[Any]):
    """What you used in the last 24 hours, and may use."""

    images = serializers.IntegerField()
    images_a_day = serializers.IntegerField()
    device_seconds = serializers.FloatField()
    device_seconds_a_day = serializers.IntegerField()
    in_flight = serializers.IntegerField()
    in_flight_max = serializers.IntegerField()


class EstimateSerializer(serializers.Serializer[Any]):
    """What a request would cost and how long it would wait if it were sent now."""

    device_ms = serializers.IntegerField()
    wait_s = serializers.FloatField(help_text="Until a worker would begin it.")
    tier = serializers.CharField()
    is_accepted = serializers.BooleanField(
        help_text="False: the wait is over the tier's budget, and it would be answered with 429."
    )
    usage = UsageSerializer()


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


class FilterSerializer(serializers.Serializer[Any]):
    """Query parameters of a list."""

    model = serializers.CharField(required=False, help_text="Slug of a model.")
    prompt = serializers.CharField(
        required=False, max_length=200, help_text="Words that the prompt contains."
    )
    created_after = serializers.DateTimeField(required=False)
    created_before = serializers.DateTimeField(required=False)


class GenerationFilterSerializer(FilterSerializer):
    status = serializers.ChoiceField(choices=RequestStatus.choices, required=False)


class ImageFilterSerializer(FilterSerializer):
    status = serializers.ChoiceField(choices=ImageState.choices, required=False)


class GenerationPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = GenerationSerializer(many=True)


class ImagePageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ImageSerializer(many=True)
