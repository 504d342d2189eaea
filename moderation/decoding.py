"""Encoded pictures of strangers, decoded within bounds. Pure."""

import warnings
from io import BytesIO

from PIL import Image

from provenance.errors import ProofsheetError

MAX_PIXELS = 40_000_000


class ImageUnreadable(ProofsheetError):
    """The bytes are no picture that can be decoded, or one with too many pixels."""

    default_code = "image_unreadable"
    default_message = "This file cannot be read as a picture."
    default_advice = "Use a PNG, JPEG or WebP of at most 40 megapixels."
    default_status = 422


def decoded(data: bytes) -> Image.Image:
    """The picture in RGB; raises ImageUnreadable."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
            if image.width * image.height > MAX_PIXELS:
                raise ImageUnreadable
            return image.convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise ImageUnreadable from error
