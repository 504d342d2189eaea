"""Decoding what the header's check lets through: upright, 8 bits, in sRGB, on white, and no more
than about four megapixels unless the whole is asked for. Pure.

A large picture is shrunk by 2, 4 or 8 where its format can while it is decoded, and in bands after
that, so no second copy of its full size ever exists. What detection works on is 1,024 pixels a
side; a shrunk picture never has less.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from provenance.pictures import colours
from provenance.pictures.colours import Space
from provenance.pictures.file_parts import PictureFile
from provenance.pictures.refusals import (
    Mime,
    NotAPicture,
    PictureAnimated,
    PictureTooCostly,
    PictureUnreadable,
)

LOOKED_AT_PIXELS = 2048 * 2048
BAND_ROWS = 32
LEAST_GREY_SHARE = 0.1
"""A JPEG whose end is missing is read where no more than this share of it is."""
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
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
    RuntimeError,
    struct.error,
    zlib.error,
    cv2.error,
    Image.DecompressionBombError,
    Warning,
)
"""What decoders raise, over formats and versions, for files that are not what they claim; a
`Warning` is raised only where warnings are made errors.
"""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is seen: `pixels` uint8 [H, W, 3] RGB, turned upright, 8 bits a channel, in
    sRGB; `width` and `height` are those of the picture in the file, upright, which may be larger.

    `notes` say in plain words what had to be converted for that.
    """

    pixels: NDArray[np.uint8]
    mime: Mime
    notes: tuple[str, ...]
    width: int = 0
    height: int = 0


@dataclass(slots=True)
class _Decoded:
    """What a decoder gave, shrunk: `colour` in mode L, RGB or CMYK, `alpha` in L."""

    colour: Image.Image
    alpha: Image.Image | None
    size: tuple[int, int]
    orientation: int
    profile: bytes
    space: Space | None


def is_plain(file: PictureFile) -> bool:
    """Whether it is small, has no colour profile and is coded as is usual."""
    is_small = 0 < file.width * file.height <= LOOKED_AT_PIXELS
    return is_small and not file.profile and file.depth <= 8


def decode(file: PictureFile, *, is_whole: bool = False) -> Picture:
    """The picture of a file. Raises `PictureUnreadable` and its kinds, and nothing else."""
    with _named():
        return _picture(file, _DECODERS[file.mime](file, is_whole))


def levels(file: PictureFile) -> tuple[NDArray[np.uint8], NDArray[np.uint8] | None]:
    """The grey of a file and its alpha, uint8 [H, W], as they are coded. Raises as `decode`."""
    with _named():
        decoded = _DECODERS[file.mime](file, True)
        grey, alpha = decoded.colour.convert("L"), decoded.alpha
        if (turn := _TURNS.get(decoded.orientation)) is not None:
            grey, alpha = grey.transpose(turn), alpha and alpha.transpose(turn)
        return np.array(grey), None if alpha is None else np.array(alpha)


@contextmanager
def _named() -> Iterator[None]:
    """Whatever a decoder raises is a `PictureUnreadable`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except MemoryError as error:
        raise PictureTooCostly from error
    except _BROKEN as error:
        raise PictureUnreadable from error


def _picture(file: PictureFile, decoded: _Decoded) -> Picture:
    notes = list(_notes(file, decoded))
    rgb = colours.by_profile(decoded.colour, decoded.profile)
    if decoded.space is not None and not decoded.profile:
        rgb = Image.fromarray(colours.by_space(np.asarray(rgb), decoded.space))
    if decoded.alpha is not None:
        rgb = Image.composite(rgb, Image.new("RGB", rgb.size, "white"), decoded.alpha)
    width, height = decoded.size
    if (turn := _TURNS.get(decoded.orientation)) is not None:
        rgb = rgb.transpose(turn)
        if decoded.orientation >= 5:
            width, height = height, width
    if rgb.size != (width, height):
        notes.append(
            f"The picture is {width} × {height} pixels; {rgb.width} × {rgb.height} of it were "
            "looked at."
        )
    return Picture(np.array(rgb, np.uint8), file.mime, tuple(notes), width, height)


def _notes(file: PictureFile, decoded: _Decoded) -> Iterator[str]:
    if decoded.colour.mode == "CMYK":
        yield "The picture is in CMYK, for print; it was converted to RGB for the check."
    if file.depth == 16:
        yield "The picture has 16 bits a channel; it was reduced to 8 for the check."
    if decoded.orientation != 1:
        yield "The file says it is to be shown turned; it was turned upright first."
    if decoded.alpha is not None:
        yield "The picture is partly transparent; it was laid on white for the check."
    if file.is_cut:
        yield "The end of the file is missing; it was read as far as it goes."


def _factor(width: int, height: int, is_whole: bool) -> int:
    factor = 1
    while not is_whole and width * height > LOOKED_AT_PIXELS * factor**2:
        factor *= 2
    return factor


def _as_told(file: PictureFile, colour: Image.Image, alpha: Image.Image | None) -> _Decoded:
    size = file.width, file.height
    return _Decoded(colour, alpha, size, file.orientation, file.profile, file.space)


def _png(file: PictureFile, is_whole: bool) -> _Decoded:
    factor = _factor(file.width, file.height, is_whole)
    if file.depth == 16 and file.transparent:
        colour, alpha = _shrunk_array(_keyed(file), factor)
    else:
        with Image.open(io.BytesIO(file.body), formats=["PNG"]) as image:
            image.load()
            colour, alpha = _shrunk(image, factor)
    return _as_told(file, colour, alpha)


def _keyed(file: PictureFile) -> NDArray[np.uint8]:
    """Sixteen bits with a colour that is transparent: only all sixteen tell whether it is that."""
    file.check_size(2 * file.width, file.height)  # every pixel is held at 16 bits, and again at 8
    deep = cv2.imdecode(np.frombuffer(file.body, np.uint8), cv2.IMREAD_UNCHANGED)
    if deep is None:
        raise PictureUnreadable
    channels = np.asarray(deep, np.uint16).reshape(file.height, file.width, -1)[..., ::-1]
    key = np.array(struct.unpack(f">{channels.shape[2]}H", file.transparent), np.uint16)
    alpha = np.where((channels == key).all(axis=2), 0, 255).astype(np.uint8)
    colour = (channels >> 8).astype(np.uint8)
    return np.dstack([np.broadcast_to(colour, (*colour.shape[:2], 3)), alpha])


def _jpeg(file: PictureFile, is_whole: bool) -> _Decoded:
    factor = _factor(file.width, file.height, is_whole)
    with Image.open(io.BytesIO(file.body), formats=["JPEG"]) as image:
        if factor > 1:
            image.draft(None, (file.width // factor, file.height // factor))
        image.load()
        left = max(1, factor * image.width // file.width)
        colour, alpha = _shrunk(image, left)
    if file.is_cut:
        _check_cut(colour)
    return _as_told(file, colour, alpha)


def _check_cut(image: Image.Image) -> None:
    """A decoder fills what is missing with grey, at the lower edge."""
    rows = np.asarray(image).reshape(image.height, -1)
    seen = np.flatnonzero((rows.min(axis=1) < 127) | (rows.max(axis=1) > 129))
    missing = image.height - 1 - (int(seen[-1]) if len(seen) else 0)
    if missing > LEAST_GREY_SHARE * image.height:
        raise PictureUnreadable


def _webp(file: PictureFile, is_whole: bool) -> _Decoded:
    pixels = cv2.imdecode(np.frombuffer(file.body, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.shape[:2] != (file.height, file.width):
        raise PictureUnreadable
    factor = _factor(file.width, file.height, is_whole)
    order = cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB
    pixels = cv2.cvtColor(pixels, order, pixels)
    colour, alpha = _shrunk_array(np.asarray(pixels, np.uint8), factor)
    return _as_told(file, colour, alpha)


def _avif(file: PictureFile, is_whole: bool) -> _Decoded:
    from PIL import AvifImagePlugin  # as pi_heif below

    AvifImagePlugin.DEFAULT_MAX_THREADS = 1
    with Image.open(io.BytesIO(file.body), formats=["AVIF"]) as image:
        if getattr(image, "is_animated", False):
            raise PictureAnimated
        file.check_size(*image.size)
        size, orientation = image.size, image.getexif().get(_ORIENTATION, 1)
        profile = image.info.get("icc_profile", b"")
        image.load()
        colour, alpha = _shrunk(image, _factor(*size, is_whole))
    return _Decoded(colour, alpha, size, orientation, profile, file.space)


def _heic(file: PictureFile, is_whole: bool) -> _Decoded:
    """The decoder turns the picture upright itself (ISO 23008-12, section 6.5.10)."""
    try:
        import pi_heif  # a decoder in native code that no server process loads: see picture_room
    except ImportError as error:
        raise NotAPicture(
            message="The file is a HEIC, which this installation does not read."
        ) from error
    pi_heif.options.DECODE_THREADS = 1
    image = pi_heif.open_heif(io.BytesIO(file.body))
    file.check_size(*image.size)
    pixels = np.asarray(image)
    if pixels.ndim != 3 or pixels.dtype != np.uint8:
        raise PictureUnreadable
    height, width = pixels.shape[:2]
    colour, alpha = _shrunk_array(pixels, _factor(width, height, is_whole))
    profile, codes = image.info.get("icc_profile") or b"", image.info.get("nclx_profile") or {}
    space = colours.space_of_codes(
        codes.get("color_primaries", 2), codes.get("transfer_characteristics", 2)
    )
    return _Decoded(colour, alpha, (width, height), 1, profile, space)


_DECODERS = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/avif": _avif,
    "image/heic": _heic,
}


def _shrunk_array(pixels: NDArray[np.uint8], factor: int) -> tuple[Image.Image, Image.Image | None]:
    """As `_shrunk`, of uint8 [H, W, 3 or 4]."""
    return _put_together(
        (Image.fromarray(pixels[top : top + BAND_ROWS * factor]) for top in
         range(0, len(pixels), BAND_ROWS * factor)),
        (pixels.shape[1], pixels.shape[0]),
        factor,
    )  # fmt: skip


def _shrunk(image: Image.Image, factor: int) -> tuple[Image.Image, Image.Image | None]:
    """Colour in mode L, RGB or CMYK, and alpha, both a factor smaller."""
    width, height = image.size
    rows = BAND_ROWS * factor
    bands = (image.crop((0, top, width, min(top + rows, height))) for top in range(0, height, rows))
    return _put_together(bands, image.size, factor)


def _put_together(
    bands: Iterator[Image.Image], size: tuple[int, int], factor: int
) -> tuple[Image.Image, Image.Image | None]:
    whole: Image.Image | None = None
    top = 0
    for band in bands:
        plain = _plain(band)
        small = plain if factor == 1 else plain.reduce(factor)
        if whole is None:
            whole = Image.new(small.mode, (-(-size[0] // factor), -(-size[1] // factor)))
        whole.paste(small, (0, top))
        top += small.height
    assert whole is not None, "a picture has rows"
    if whole.mode in ("LA", "RGBA"):
        return whole.convert(whole.mode[:-1]), whole.getchannel("A")
    return whole, None


def _plain(band: Image.Image) -> Image.Image:
    """In mode L, LA, RGB, RGBA or CMYK."""
    if band.mode.startswith("I"):
        return Image.fromarray(np.clip(np.asarray(band) >> 8, 0, 255).astype(np.uint8))
    if "transparency" in band.info or band.mode == "PA":
        return band.convert("RGBA")
    if band.mode in ("L", "LA", "RGB", "RGBA", "CMYK"):
        return band
    return band.convert("L" if band.mode == "1" else "RGB")
