"""Requests, under the name that the API has for them: generations."""

from __future__ import annotations

from collections.abc import Iterable
from contextvars import ContextVar
from dataclasses import asdict
from functools import cache
from typing import Any

from django.db.models import prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from generation.gallery.image_serializers import ImageSerializer
from generation.gallery.list_filters import FilterSerializer
from generation.gallery.refusal_serializers import (
    RefusalSerializer,
    refusal_context,
    refusal_of,
    waiting_url_of,
)
from generation.line import place_in_line, waiting_reasons
from generation.models import GenerationRequest, RequestStatus, SourcePicture, SourceState
from generation.request_rules import failures, priority_classes
from generation.studio import own_requests
from generation.studio.parameter_serializers import AdapterUseSerializer


class FailureSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    message = serializers.CharField()
    advice = serializers.CharField()


class FailedImageSerializer(FailureSerializer):
    """One of several images that failed; the others are not lost by it."""

    index = serializers.IntegerField()
    seed = serializers.IntegerField()


class SourceSerializer(serializers.Serializer[SourcePicture]):
    """The picture that a request starts from. Nothing uses it before it has passed."""

    strength = serializers.FloatField()
    sha256 = serializers.CharField()
    image = serializers.UUIDField(source="image_id", allow_null=True)
    status = serializers.ChoiceField(source="state", choices=SourceState.choices)
    code = serializers.CharField(help_text="Why it is held or refused; else empty.")
    mask_sha256 = serializers.CharField(
        help_text="Of the mask in grey levels, white for what is painted anew; empty without one."
    )


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
    guidance_rescale = serializers.FloatField()
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
    waits_for = serializers.SerializerMethodField(
        help_text="While no worker can take it, what it waits for, in words; else empty."
    )
    predicted_ms = serializers.IntegerField(help_text="Device time that it should take in all.")
    device_ms = serializers.IntegerField(allow_null=True, help_text="Device time that it took.")
    count = serializers.IntegerField(help_text="How many images were asked for.")
    images = serializers.SerializerMethodField()
    failed_images = serializers.SerializerMethodField()
    timings = serializers.DictField(
        child=serializers.FloatField(), help_text="Milliseconds by stage, over all its images."
    )
    refusal = serializers.SerializerMethodField()
    waiting_url = serializers.SerializerMethodField(
        help_text="While it is held: where its state is read without an account."
    )
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
        return [{"slug": row.adapter.slug, "weight": row.weight} for row in found.used_adapters]

    @extend_schema_field(SourceSerializer(allow_null=True))
    def get_source(self, found: GenerationRequest) -> Any:
        return SourceSerializer(found.starts_from).data if found.starts_from else None

    def get_tier(self, found: GenerationRequest) -> str:
        return priority_classes.name_of(found.priority)

    def get_position(self, found: GenerationRequest) -> int | None:
        return place_in_line.position(found)

    def get_waits_for(self, found: GenerationRequest) -> str:
        return waiting_reasons.line_of(found, waiting_reasons.lines([found], at=timezone.now()))

    @extend_schema_field(ImageSerializer(many=True))
    def get_images(self, found: GenerationRequest) -> Any:
        # The stubs know one object only.
        kept: Any = [image for image in found.made_images if image.deleted_at is None]
        return ImageSerializer(kept, many=True, context=self.context).data

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
        return refusal_of(self, found)

    @extend_schema_field(serializers.URLField(allow_null=True))
    def get_waiting_url(self, found: GenerationRequest) -> str | None:
        return waiting_url_of(self, found)

    @extend_schema_field(FailureSerializer(allow_null=True))
    def get_failure(self, found: GenerationRequest) -> Any:
        if found.status != RequestStatus.FAILED:
            return None
        why = failures.explain(found.code, found.failures)
        return {"code": found.code, "message": why.message, "advice": why.advice}


_answered: ContextVar[dict[str, Any]] = ContextVar("answered")


class _Writer(GenerationSerializer):
    """One for all threads, each with its own context."""

    @property
    def context(self) -> dict[str, Any]:
        return _answered.get()


@cache
def _writer() -> _Writer:
    """Kept, as copying the fields for every answer takes longer than writing one."""
    return _Writer()


def generation_context(found: Iterable[GenerationRequest], request: Request) -> dict[str, Any]:
    """The context of GenerationSerializer; the requests must have their `own_requests.parts`."""
    images = [image for row in found for image in row.made_images]
    return refusal_context(found, images, request)


def answer(found: GenerationRequest, request: Request) -> dict[str, Any]:
    """One request as GenerationSerializer writes it, its parts fetched where they are not yet."""
    prefetch_related_objects([found], *own_requests.parts())
    before = _answered.set(generation_context([found], request))
    try:
        body: dict[str, Any] = _writer().to_representation(found)
    finally:
        _answered.reset(before)
    return body


class GenerationFilterSerializer(FilterSerializer):
    status = serializers.ChoiceField(choices=RequestStatus.choices, required=False)


class GenerationPageSerializer(serializers.Serializer[Any]):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = GenerationSerializer(many=True)
