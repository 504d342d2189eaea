"""What a request asks for."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from config.core.api.links import UploadField
from config.core.api.strict_serializers import StrictSerializer
from generation.request_rules.parameters import MASK_FILLS, RequestParameters, SentMask


class AdapterUseSerializer(StrictSerializer):
    slug = serializers.CharField(max_length=64)
    weight = serializers.FloatField(default=1.0, help_text="-2 to 2; 0 leaves it out.")


@extend_schema_serializer(component_name="Draft")  # as clients have known it
class ParametersSerializer(StrictSerializer):
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
    guidance_rescale = serializers.FloatField(
        default=0.0,
        help_text="0 to 1: how much of the guided prediction has the contrast of the prompt's own; "
        "for Stable Diffusion 1, 2 and XL, where v-prediction models want 0.2 to 0.7.",
    )
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
        help_text="Or an upload to start from, PNG, JPEG, WebP, AVIF or HEIC "
        "(as multipart/form-data).",
    )
    strength = serializers.FloatField(
        default=None,
        allow_null=True,
        help_text="0.05 to 1: how far it may depart from that picture; 0.6 when left out, and with "
        "a mask 1.",
    )
    mask = UploadField(
        default=None,
        allow_null=True,
        allow_empty_file=True,
        help_text="What of that picture is painted anew: a picture of its size without "
        "transparency, white for what is, black for what stays, grey for what may change less "
        "(PNG, JPEG or WebP, as multipart/form-data).",
    )
    mask_blur = serializers.FloatField(
        default=0.0, help_text="0 to 64 pixels: how soft the mask's border is made."
    )
    mask_fill = serializers.ChoiceField(
        MASK_FILLS,
        default="original",
        help_text="What lies under the mask at first; a strength below 1 leaves something of it.",
    )
    mask_padding = serializers.IntegerField(
        default=None,
        allow_null=True,
        help_text="0 to 1024: draw only what surrounds the mask, so many pixels about it, and as "
        "large as the model draws; the whole picture when left out.",
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


@cache
def _reader() -> ParametersSerializer:
    """Kept, as copying the fields for every body takes longer than reading one."""
    return ParametersSerializer()


def parameters_of(data: Any) -> RequestParameters:
    """What the body of a request asks for. Raises serializers.ValidationError."""
    said = _reader().run_validation(data)
    adapters = tuple((use["slug"], use["weight"]) for use in said["adapters"])
    image = said["source_image"]
    blur, fill, padding = (said.pop(f"mask_{name}") for name in ("blur", "fill", "padding"))
    mask = upload_of(said["mask"])
    return RequestParameters(
        **said
        | {
            "adapters": adapters,
            "source_image": str(image) if image else None,
            "picture": upload_of(said["picture"]),
            "mask": None if mask is None else SentMask(mask, blur=blur, fill=fill, padding=padding),
        }
    )


def upload_of(file: UploadedFile[Any] | None) -> bytes | None:
    """Its bytes; of one that is too large no more than shows that it is."""
    return None if file is None else file.read(settings.PROOFSHEET_SOURCE_MAX_BYTES + 1)
