"""The picture that somebody asks to start from, before its request is stored.

An upload is bounded and decoded before it is stored. An own image needs none of that: it has passed
already.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser

from config.core.errors import ProofsheetError
from generation.conditions import masks
from generation.conditions.masks import WantedMask
from generation.models import GeneratedImage, ImageState
from generation.request_rules.parameters import RequestParameters, ResizeMode
from provenance.pictures import decoder


class SourceTooLarge(ProofsheetError):
    default_code = "source_too_large"
    default_status = 413
    default_message = "The picture to start from is a larger file than is taken."
    default_advice = "Make it smaller first: more than the model's own size has no effect."


class SourceNotFound(ProofsheetError):
    """Also what a stranger is told: whose image an id is, is its owner's business."""

    default_code = "source_not_found"
    default_status = 422
    default_message = "You have no released image with that id to start from."
    default_advice = "Choose one in your gallery, or upload a picture."


@dataclass(frozen=True, slots=True)
class WantedInitImage:
    """What a request is to start from, checked: an upload's `data`, or an own `image`."""

    strength: float
    sha256: str
    width: int
    height: int
    data: bytes | None = None
    image: GeneratedImage | None = None
    mask: WantedMask | None = None
    resize_mode: ResizeMode = "crop"


def resolve(
    parameters: RequestParameters, *, by: AbstractBaseUser, size: tuple[int, int]
) -> WantedInitImage | None:
    """What checked parameters start from, None for noise; `size` is what is delivered.

    Raises SourceTooLarge, SourceNotFound, PictureUnreadable, and what `masks.resolve` raises.
    """
    if parameters.strength is None:
        return None
    if parameters.picture is None:
        found = _of_own_image(parameters, parameters.strength, by=by)
    else:
        found = _of_upload(parameters.picture, parameters.strength)
    found = replace(found, resize_mode=parameters.resize_mode)
    if parameters.mask is None:
        return found
    mask = masks.resolve(
        parameters.mask,
        picture=(found.width, found.height),
        delivered=size,
        resize_mode=found.resize_mode,
    )
    return replace(found, mask=mask)


def _of_own_image(
    parameters: RequestParameters, strength: float, *, by: AbstractBaseUser
) -> WantedInitImage:
    assert parameters.source_image is not None, "checked parameters with a strength have a source"
    released = GeneratedImage.objects.current_of(by).filter(
        state=ImageState.RELEASED, restriction="", deleted_at__isnull=True
    )
    image = released.filter(id=parameters.source_image).exclude(file="").first()
    if image is None:
        raise SourceNotFound
    return WantedInitImage(strength, image.sha256, image.width, image.height, image=image)


def _of_upload(data: bytes, strength: float) -> WantedInitImage:
    limit = settings.PROOFSHEET_SOURCE_MAX_BYTES
    if len(data) > limit:
        raise SourceTooLarge(message=f"The picture to start from is larger than {limit} bytes.")
    found = decoder.read(data)
    return WantedInitImage(
        strength, hashlib.sha256(data).hexdigest(), found.width, found.height, data=data
    )
