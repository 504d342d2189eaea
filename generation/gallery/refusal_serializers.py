"""Why a request or an image was refused, or that it waits; and where that is read and contested."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers
from rest_framework.request import Request

from generation.gallery.refusals import Refusal, refusals_of
from generation.models import GeneratedImage, GenerationRequest, ImageState, RequestStatus
from moderation.public_notices import addresses


class RefusalSerializer(serializers.Serializer[Refusal]):
    """Why it was refused. Both addresses open without an account, for whom a program serves."""

    code = serializers.CharField()
    reason = serializers.CharField(help_text="The policy's category, in a few words.")
    statement = serializers.UUIDField(help_text="What `/api/v1/appeals/` takes.")
    is_automated = serializers.BooleanField()
    statement_url = serializers.SerializerMethodField(help_text="The statement of reasons.")
    appeal_url = serializers.SerializerMethodField(
        help_text="Where an appeal stands, or is lodged."
    )

    def get_statement_url(self, refusal: Refusal) -> str:
        return self._addresses()[refusal.decision.id]

    def get_appeal_url(self, refusal: Refusal) -> str:
        return addresses.appeal_address(self._addresses()[refusal.decision.id])

    def _addresses(self) -> dict[UUID, str]:
        found: dict[UUID, str] = self.context["addresses"]
        return found


def refusal_of(serializer: serializers.BaseSerializer[Any], subject: Any) -> Any:
    """From the context's `refusals`, which one query fetched for the whole page. A request may be
    refused for the picture that it was to start from."""
    refusals, source = serializer.context["refusals"], getattr(subject, "starts_from", None)
    refusal = refusals.get(subject.id) or refusals.get(getattr(source, "id", None))
    return RefusalSerializer(refusal, context=serializer.context).data if refusal else None


def waiting_url_of(serializer: serializers.BaseSerializer[Any], subject: Any) -> str | None:
    """The address of a hold, of the request's own picture to start from too; None for what does not
    wait for a person."""
    held, source = serializer.context["held"], getattr(subject, "starts_from", None)
    found: str | None = held.get(subject.id) or held.get(getattr(source, "id", None))
    return found


def image_context(images: Iterable[GeneratedImage], request: Request) -> dict[str, Any]:
    """The context of the images' serializers."""
    return refusal_context([], list(images), request)


def refusal_context(
    found: Iterable[GenerationRequest], images: list[GeneratedImage], request: Request
) -> dict[str, Any]:
    """The context of the serializers of requests and `images`: every refusal and every hold of the
    page fetched at once."""
    refused = [row for row in found if row.status == RequestStatus.REFUSED]
    stopped = [image for image in images if image.state == ImageState.WITHHELD or image.restriction]
    subjects = [*_subjects(refused), *(image.id for image in stopped)]
    refusals = refusals_of(subjects) if subjects else {}
    held = _subjects(row for row in found if row.is_held)
    held += [image.id for image in images if image.state == ImageState.HELD]
    return {
        "request": request,
        "refusals": refusals,
        "addresses": addresses.addresses_of(refusal.decision for refusal in refusals.values()),
        "held": addresses.addresses_of_held(held) if held else {},
    }


def _subjects(rows: Iterable[GenerationRequest]) -> list[UUID]:
    """What may have been stopped of requests: their prompts, and their pictures to start from."""
    return [each.id for row in rows for each in (row, row.starts_from) if each is not None]
