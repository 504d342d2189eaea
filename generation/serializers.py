"""What the API reads and writes. A serializer checks types; the domain checks everything else."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from generation import estimates, failures, tiers
from generation.cards import Refusal
from generation.drafts import Draft
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus


class AdapterUseSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField(max_length=64)
    weight = serializers.FloatField(default=1.0, help_text="-2 to 2; 0 leaves it out.")


class DraftSerializer(serializers.Serializer[Draft]):
    """A request to make one image. Everything but the prompt may be left to the model."""

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

    def draft(self) -> Draft:
        said = self.validated_data
        adapters = tuple((use["slug"], use["weight"]) for use in said["adapters"])
        return Draft(**said | {"adapters": adapters})


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


class UsedAdapterSerializer(serializers.Serializer[Any]):
    """An adapter as it was when the image was made."""

    slug = serializers.CharField()
    name = serializers.CharField()
    weight = serializers.FloatField()
    sha256 = serializers.CharField()


class NoteSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()


class ImageSerializer(serializers.Serializer[GeneratedImage]):
    """One image with everything that made it. `file_url` is null unless the image is released."""

    id = serializers.UUIDField()
    generation = serializers.UUIDField(source="request_id")
    status = serializers.ChoiceField(source="state", choices=ImageState.choices)
    code = serializers.CharField(help_text="Why it is held or withheld; else empty.")
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
    adapters = serializers.SerializerMethodField()
    tier = serializers.SerializerMethodField()
    position = serializers.SerializerMethodField()
    predicted_ms = serializers.IntegerField(help_text="Device time that the image should take.")
    device_ms = serializers.IntegerField(allow_null=True, help_text="Device time that it took.")
    images = serializers.SerializerMethodField()
    timings = serializers.DictField(
        child=serializers.FloatField(), help_text="Milliseconds by stage, once it is made."
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

    def get_tier(self, found: GenerationRequest) -> str:
        return tiers.name_of(found.priority)

    def get_position(self, found: GenerationRequest) -> int | None:
        return estimates.position(found)

    @extend_schema_field(ImageSerializer(many=True))
    def get_images(self, found: GenerationRequest) -> Any:
        kept = [image for image in found.images.all() if image.deleted_at is None]
        ordered: Any = sorted(kept, key=lambda image: image.index)  # stubs know one object only
        return ImageSerializer(ordered, many=True, context=self.context).data

    @extend_schema_field(RefusalSerializer(allow_null=True))
    def get_refusal(self, found: GenerationRequest) -> Any:
        return _refusal(self, found)

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, found: GenerationRequest) -> Any:
        if found.status != RequestStatus.FAILED:
            return None
        why = failures.explain(found.code)
        return {"code": found.code, "message": why.message, "advice": why.advice}


def _refusal(serializer: serializers.BaseSerializer[Any], subject: Any) -> Any:
    """From the context's `refusals`, which one query fetched for the whole page."""
    refusal = serializer.context["refusals"].get(subject.id)
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


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457. `code` is stable; `title` says what happened and `detail` what to do."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(required=False)
    # The member's name is part of the API; the serializer's own property is not used here.
    errors = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text="By field, when `code` is `invalid`."
    )
