"""Reading a picture that a stranger sent: known formats only, bounded, never more than one frame.
Pure.

Whatever the bytes hold, the answer is a `Picture` or one of the named exceptions below.
"""

import io
import struct
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from provenance.errors import ProofsheetError

MAX_PIXELS = 40_000_000
MIN_SIDE = 16
Mime = Literal["image/png", "image/jpeg", "image/webp"]
_ORIENTATION = 0x0112
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    OverflowError,
    IndexError,
    KeyError,
    TypeError,
    AttributeError,
    struct.error,
    zlib.error,
    Warning,
)
"""What Pillow raises, over its formats and versions, for files that are not what they claim; a
`Warning` is raised only where warnings are made errors.
"""


class PictureUnreadable(ProofsheetError):
    """The root of everything that keeps a file from being looked at."""

    default_code = "picture_unreadable"
    default_message = "The file is damaged: it ends early or does not hold what its header says."
    default_advice = "Download or save it again, and try that copy."
    default_status = 422


class PictureEmpty(PictureUnreadable):
    default_code = "picture_empty"
    default_message = "The file is empty."
    default_advice = "Choose a PNG, JPEG or WebP picture."


class NotAPicture(PictureUnreadable):
    default_code = "not_a_picture"
    default_message = "The file is not a PNG, JPEG or WebP picture, whatever its name says."
    default_advice = "Export it as PNG, JPEG or WebP, or take a screenshot of it, and try that."
    default_status = 415


class PictureAnimated(PictureUnreadable):
    default_code = "picture_animated"
    default_message = "The file is animated; only still pictures can be checked."
    default_advice = "Save the frame that you want to know about as a picture of its own."
    default_status = 415


class TooManyPixels(PictureUnreadable):
    default_code = "too_many_pixels"
    default_message = f"The picture has more than {MAX_PIXELS // 1_000_000} million pixels."
    default_advice = "Make it smaller first; the marks survive that."
    default_status = 413


class PictureTooSmall(PictureUnreadable):
    default_code = "picture_too_small"
    default_message = f"The picture is less than {MIN_SIDE} pixels wide or high."
    default_advice = "Send a larger copy: so few pixels hold no marks."


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is seen: `pixels` uint8 [H, W, 3] RGB, turned upright, 8 bits a channel.

    `notes` say in plain words what had to be converted for that.
    """

    pixels: NDArray[np.uint8]
    mime: Mime
    notes: tuple[str, ...]


def mime_of(data: bytes) -> Mime:
    """The format by its first bytes. Raises `PictureEmpty` or `NotAPicture`."""
    if not data:
        raise PictureEmpty
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    raise NotAPicture


def read(data: bytes) -> Picture:
    """The picture in a file. Raises one of this module's exceptions, and nothing else."""
    mime = mime_of(data)
    try:
        with Image.open(io.BytesIO(data), formats=[mime.split("/")[1]]) as image:
            _check_bounds(image, mime)
            notes = _notes(image, data, mime)
            image.load()
            return Picture(_upright_rgb(image), mime, notes)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise TooManyPixels from error
    except _BROKEN as error:
        raise PictureUnreadable from error


def _check_bounds(image: Image.Image, mime: Mime) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise TooManyPixels(
            message=f"The picture says it is {image.width} × {image.height} pixels; "
            f"{MAX_PIXELS // 1_000_000} million is the most that is looked at."
        )
    if min(image.size) < MIN_SIDE:
        raise PictureTooSmall
    if mime != "image/jpeg" and getattr(image, "is_animated", False):
        raise PictureAnimated


def _notes(image: Image.Image, data: bytes, mime: Mime) -> tuple[str, ...]:
    notes = []
    if image.mode in ("CMYK", "YCCK"):
        notes.append("The picture is in CMYK, for print; it was converted to RGB for the check.")
    if image.mode.startswith("I") or (mime == "image/png" and data[24:25] == b"\x10"):
        notes.append("The picture has 16 bits a channel; it was reduced to 8 for the check.")
    if image.getexif().get(_ORIENTATION, 1) not in (0, 1):
        notes.append("The file says it is to be shown turned; it was turned upright first.")
    if "A" in image.getbands() or "transparency" in image.info:
        notes.append("The picture is partly transparent; it was laid on white for the check.")
    return tuple(notes)


def _upright_rgb(image: Image.Image) -> NDArray[np.uint8]:
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        deep = np.asarray(image).astype(np.int64) >> 8
        return np.repeat(np.clip(deep, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    if "A" in image.getbands() or "transparency" in image.info:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return np.array(image.convert("RGB"), np.uint8)
