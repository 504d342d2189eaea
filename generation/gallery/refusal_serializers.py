"""Why a request or an image was refused, and where that is contested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from generation.gallery.refusals import Refusal, refusals_of
from generation.models import GeneratedImage, ImageState


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


def refusal_of(serializer: serializers.BaseSerializer[Any], subject: Any) -> Any:
    """From the context's `refusals`, which one query fetched for the whole page. A request may be
    refused for the picture that it was to start from."""
    refusals, source = serializer.context["refusals"], getattr(subject, "starts_from", None)
    refusal = refusals.get(subject.id) or refusals.get(getattr(source, "id", None))
    return RefusalSerializer(refusal, context=serializer.context).data if refusal else None


def image_context(images: Iterable[GeneratedImage], request: Request) -> dict[str, Any]:
    """The context of the images' serializers."""
    return {"request": request, "refusals": refusals_among([], images)}


def refusals_among(refused: list[UUID], images: Iterable[GeneratedImage]) -> dict[UUID, Refusal]:
    """Of `refused` requests and sources, and of the `images` that are stopped or restricted."""
    subjects = refused + [
        image.id for image in images if image.state == ImageState.WITHHELD or image.restriction
    ]
    return refusals_of(subjects) if subjects else {}
