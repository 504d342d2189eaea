"""What came of a prompt or a picture, for whoever may fetch it without an account."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from uuid import UUID

from generation.models import GeneratedImage, GenerationRequest, ImageState
from moderation.subjects.deliverable_pictures import DeliverablePicture, Delivered


def delivered(kind: str, subject_id: UUID) -> Delivered | None:
    """Of a prompt, or of a picture that one was to start from, all that its request made; of an
    image itself. Nothing that is held, withheld, restricted or deleted.
    """
    if kind == "prompt":
        return _of_request(GenerationRequest.objects.filter(id=subject_id).first())
    if kind != "image":
        return None
    images = GeneratedImage.objects.filter(id=subject_id)
    if images.exists():
        return _of_images(images)
    return _of_request(GenerationRequest.objects.filter(source__id=subject_id).first())


def _of_request(request: GenerationRequest | None) -> Delivered | None:
    if request is None:
        return None
    if request.is_active and not request.is_held:
        return Delivered("making")
    return _of_images(request.images.order_by("index"))


def _of_images(images: Iterable[GeneratedImage]) -> Delivered:
    pictures = tuple(
        DeliverablePicture(image.id, image.width, image.height, partial(_read, image))
        for image in images
        if image.state == ImageState.RELEASED
        and not image.restriction
        and image.deleted_at is None
        and image.file
    )
    return Delivered("made" if pictures else "none", pictures)


def _read(image: GeneratedImage) -> bytes:
    with image.file.open("rb") as file:
        return bytes(file.read())
