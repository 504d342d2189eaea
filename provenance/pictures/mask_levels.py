"""A mask's grey and transparency as they are coded: by no profile of colours, and laid on nothing.
Pure.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance.pictures import file_parts, pixel_decoding
from provenance.pictures.refusals import PictureUnreadable, TooManyPixels


@dataclass(frozen=True, slots=True)
class MaskLevels:
    """Upright, uint8 [H, W] each, of 16 bits the upper eight; no `alpha` where none is coded."""

    grey: NDArray[np.uint8]
    alpha: NDArray[np.uint8] | None


def read(data: bytes) -> MaskLevels:
    """Of a PNG, JPEG or WebP of at most about four megapixels. Raises `PictureUnreadable` and its
    kinds."""
    file = file_parts.inspect(data)
    if not file.width:
        raise PictureUnreadable(message="A mask is a PNG, a JPEG or a WebP.")
    if file.width * file.height > pixel_decoding.LOOKED_AT_PIXELS:
        raise TooManyPixels
    return MaskLevels(*pixel_decoding.levels(file))
