"""Masks: which part of a picture to start from is painted anew.

Whatever a client means by one becomes grey levels of the picture's own size here, white for what is
painted anew, kept as PNG.
"""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps
from PIL.Image import Resampling

from config.core.errors import ProofsheetError
from generation.conditions import mask_meaning
from generation.conditions.picture_shapes import reshaped
from generation.request_rules.parameters import MaskFill, ResizeMode, SentMask
from provenance.manifests.definition import Box
from provenance.pictures import mask_levels
from provenance.pictures.refusals import PictureUnreadable

Levels = NDArray[np.uint8]


class MaskUnreadable(ProofsheetError):
    """Why stands in its message."""

    default_code = "mask_unreadable"
    default_status = 422
    default_message = "The mask cannot be read."
    default_advice = "Send a PNG of the picture's size, at most 2048 by 2048 pixels."


class MaskSizeDiffers(ProofsheetError):
    """Of the first picture, where there are several."""

    default_code = "mask_size_differs"
    default_status = 422
    default_message = "The mask has another size than the picture."
    default_advice = "Send both with the same width and height."


class MaskEmpty(ProofsheetError):
    """Nothing to do."""

    default_code = "mask_empty"
    default_status = 422
    default_message = "The mask leaves nothing to paint anew."
    default_advice = "Mark some part: by white, or for OpenAI's clients by transparency."


class MaskFull(ProofsheetError):
    """A picture of which nothing stays needs no mask."""

    default_code = "mask_full"
    default_status = 422
    default_message = "The mask leaves nothing of the picture."
    default_advice = "Leave the mask out, or mark less."


@dataclass(frozen=True, slots=True)
class WantedMask:
    """A mask that was understood: `data` is a grey PNG of the picture's size."""

    data: bytes
    sha256: str
    fill: MaskFill
    padding: int | None


def resolve(
    sent: SentMask,
    *,
    picture: tuple[int, int],
    delivered: tuple[int, int],
    resize_mode: ResizeMode = "crop",
) -> WantedMask:
    """What `sent` says of a picture of that width and height, of which as much is delivered.

    Raises MaskUnreadable, MaskSizeDiffers, MaskEmpty, MaskFull, MaskWithoutAlpha, MaskHasAlpha.
    """
    try:
        found = mask_levels.read(sent.data)
    except PictureUnreadable as error:
        raise MaskUnreadable(message=f"The mask cannot be read. {error.message}") from error
    height, width = found.grey.shape
    if (width, height) != picture:
        raise MaskSizeDiffers(
            message=f"The mask is {width} × {height} pixels, the picture {picture[0]} × "
            f"{picture[1]}."
        )
    image = Image.fromarray(mask_meaning.levels_of(found, sent))
    if sent.blur:
        image = image.filter(ImageFilter.GaussianBlur(sent.blur))
    lowest, highest = _extremes(reshaped(image, delivered, resize_mode, Resampling.BILINEAR))
    if not highest:
        raise MaskEmpty
    if lowest == mask_meaning.OPAQUE:
        raise MaskFull
    data = _png(image)
    return WantedMask(data, hashlib.sha256(data).hexdigest(), sent.fill, sent.padding)


def decoded(data: bytes) -> Levels:
    """Of a mask as it is kept, uint8 [H, W]."""
    return mask_levels.read(data).grey


def bounds(levels: Levels, *, delivered: tuple[int, int]) -> Box | None:
    """What the mask lets change of a picture of that width and height; None where that is all."""
    width, height = delivered
    shown = ImageOps.fit(Image.fromarray(levels), delivered, Resampling.BILINEAR)
    found = shown.getbbox()
    if found is None or found == (0, 0, width, height):
        return None
    left, top, right, bottom = found
    across, down = 100 / width, 100 / height
    return Box(left * across, top * down, (right - left) * across, (bottom - top) * down)


def _extremes(image: Image.Image) -> tuple[int, int]:
    levels = np.asarray(image)
    return int(levels.min()), int(levels.max())


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()
