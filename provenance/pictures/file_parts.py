"""What a picture's file says of itself, and what of it a decoder gets. Pure.

The containers are walked here, by lengths alone, so that no decoder meets text, profiles or
thumbnails of a stranger: it gets the size, the palette and the coded pixels. What is only ancillary
(PNG 1.3, section 4.7) may be damaged, large or a bomb; the picture is read all the same.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from provenance.pictures import colours
from provenance.pictures.colours import Space
from provenance.pictures.refusals import (
    MIN_SIDE,
    Mime,
    PictureAnimated,
    PictureEmpty,
    PictureTooCostly,
    PictureTooSmall,
    PictureUnreadable,
    TooManyPixels,
    not_a_picture,
)

MAX_PIXELS = 51_000_000
"""Of any picture: what telephones call 50 megapixels is up to 8192 by 6144."""
MOST_PNG_BYTES = 160_000_000
"""Of a PNG's filtered rows, which are inflated in any case: a decoder's time goes by them."""
MOST_COEFFICIENT_BYTES = 204_000_000
"""Of a JPEG in several scans: its coefficients are all held until the last one is read."""
MOST_WEBP_PIXELS, MOST_AVIF_PIXELS, MOST_HEIC_PIXELS = 32_000_000, 16_000_000, 36_000_000
MOST_SCANS, MOST_SCANNED_PIXELS, MOST_CHUNKS = 64, 1_000_000_000, 65_536
"""A scan of a few bytes can go over every pixel; encoders write about ten."""
MOST_PROFILE_BYTES, MOST_BOX_BYTES = 4_000_000, 65_536
_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis"}
_SEQUENCES = {b"avis", b"hevc", b"hevx", b"msf1"}
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])")
_JPEG_SIZES = {0xC0, 0xC1, 0xC2}
"""Baseline, extended and progressive Huffman coding: what browsers read."""
_JPEG_OTHER_SIZES = {0xC3, *range(0xC5, 0xC8), *range(0xC9, 0xCC), *range(0xCD, 0xD0)}
_SOI, _EOI, _SOS, _DHT, _COM, _APP0, _APP1, _APP2, _APP14 = (
    0xD8, 0xD9, 0xDA, 0xC4, 0xFE, 0xE0, 0xE1, 0xE2, 0xEE,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PictureFile:
    """A file before it is decoded. `body` is what the decoder gets, `profile` an ICC profile,
    `orientation` EXIF's 1 to 8; `most_pixels` depends on how the pixels are coded.

    Of AVIF and HEIC the size is known only to their decoders: `width` is 0 then.
    """

    mime: Mime
    body: bytes = field(repr=False)
    width: int = 0
    height: int = 0
    most_pixels: int = MAX_PIXELS
    orientation: int = 1
    profile: bytes = field(default=b"", repr=False)
    depth: int = 8
    transparent: bytes = b""
    """A PNG's tRNS chunk."""
    space: Space | None = None
    """What the colours are where no profile says it."""
    is_cut: bool = False
    """Whether the end of a PNG, JPEG or WebP is missing."""

    def check_size(self, width: int, height: int) -> None:
        """Raises `TooManyPixels` or `PictureTooSmall`."""
        if width * height > self.most_pixels:
            raise TooManyPixels(
                message=f"The picture says it is {width} × {height} pixels; "
                f"{self.most_pixels // 1_000_000} million is the most that is looked at in "
                f"{_NAMES[self.mime]} of its kind."
            )
        if min(width, height) < MIN_SIDE:
            raise PictureTooSmall


_NAMES: dict[Mime, str] = {
    "image/png": "a PNG",
    "image/jpeg": "a JPEG",
    "image/webp": "a WebP",
    "image/avif": "an AVIF",
    "image/heic": "a HEIC",
}


def mime_of(data: bytes) -> Mime:
    """The format by its first bytes. Raises `PictureEmpty`, `NotAPicture` or `PictureAnimated`."""
    if not data:
        raise PictureEmpty
    if data.startswith(_PNG):
        return "image/png"
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:8] == b"ftyp":
        return _mime_of_boxes(data)
    raise not_a_picture(data)


def _mime_of_boxes(data: bytes) -> Mime:
    """By the brands of an ISO base media file (ISO 14496-12, section 4.3)."""
    length = min(int.from_bytes(data[:4]), 256)
    brands = [data[place : place + 4] for place in (8, *range(16, length - 3, 4))]
    if brands[0] in _SEQUENCES:
        raise PictureAnimated
    if b"avif" in brands:
        return "image/avif"
    if _HEIC_BRANDS & set(brands):
        return "image/heic"
    raise not_a_picture(data)


def inspect(data: bytes) -> PictureFile:
    """Walk a file. Raises `PictureUnreadable` and its kinds, also for what is too large."""
    mime = mime_of(data)
    try:
        found = _INSPECTORS[mime](data)
    except (struct.error, IndexError, ValueError) as error:
        raise PictureUnreadable from error
    if mime not in ("image/avif", "image/heic"):
        found.check_size(found.width, found.height)
    return found


def _png(data: bytes) -> PictureFile:
    kept: dict[bytes, bytes] = {}
    pixels: list[memoryview] = []
    for kind, body in _png_chunks(data):
        if kind == b"IDAT":
            pixels.append(body)
        elif kind == b"acTL" and not pixels:
            raise PictureAnimated
        elif kind not in kept and len(body) <= MOST_PROFILE_BYTES:
            kept[kind] = bytes(body)
    width, height, depth, colour = struct.unpack(">IIBB", kept.get(b"IHDR", b"")[:10])
    row_bits = _PNG_CHANNELS.get(colour, 4) * depth or 8
    critical: list[tuple[bytes, bytes]] = [
        (kind, kept[kind]) for kind in (b"IHDR", b"PLTE") if kind in kept
    ]
    if depth < 16 and b"tRNS" in kept:
        critical.append((b"tRNS", kept[b"tRNS"]))
    critical += [(b"IDAT", b"".join(pixels)), (b"IEND", b"")]
    return PictureFile(
        "image/png",
        _PNG + b"".join(_png_chunk(kind, body) for kind, body in critical),
        width,
        height,
        most_pixels=min(MAX_PIXELS, MOST_PNG_BYTES * 8 // row_bits),
        orientation=_orientation(kept.get(b"eXIf", b"")),
        profile=_png_profile(kept),
        depth=depth,
        transparent=kept.get(b"tRNS", b"") if colour in (0, 2) else b"",
        space=_png_space(kept),
        is_cut=b"IEND" not in kept,
    )


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Type and body up to IEND, which comes only whole; another that is last may be cut. Checksums
    are not looked at.
    """
    view, place = memoryview(data), 8
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(data):
            return
        length, kind = int.from_bytes(view[place : place + 4]), bytes(view[place + 4 : place + 8])
        end = place + 12 + length
        if kind != b"IEND" or end <= len(data):
            yield kind, view[place + 8 : place + 8 + length]
        if kind == b"IEND":
            return
        place = end
    raise PictureTooCostly


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    check = zlib.crc32(body, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(body)), kind, body, struct.pack(">I", check)))


def _png_profile(kept: dict[bytes, bytes]) -> bytes:
    """The inflated profile; empty where it is larger than profiles are, or broken."""
    packed = b"" if b"cICP" in kept else kept.get(b"iCCP", b"").partition(b"\0")[2]
    inflating = zlib.decompressobj()
    try:
        profile = inflating.decompress(packed[1:], MOST_PROFILE_BYTES)
    except zlib.error:
        return b""
    return profile if inflating.eof else b""


def _png_space(kept: dict[bytes, bytes]) -> Space | None:
    """By what ranks highest (PNG 3, section 4.3); cHRM alone says nothing, as browsers have it."""
    codes, gamma, points = (kept.get(kind, b"") for kind in (b"cICP", b"gAMA", b"cHRM"))
    if len(codes) == 4:
        return colours.space_of_codes(codes[0], codes[1])
    if len(gamma) != 4 or kept.keys() & {b"iCCP", b"sRGB"}:
        return None
    told = gamma + points if len(points) == 32 else gamma
    return colours.space_of_gamma(struct.unpack(f">{len(told) // 4}I", told))


def _jpeg(data: bytes) -> PictureFile:
    head: list[bytes] = [b"\xff\xd8"]
    profile: dict[int, bytes] = {}
    orientation, place = 0, 2
    size: tuple[int, bytes] | None = None
    while True:
        marker, start, end = _jpeg_segment(data, place)
        body = data[start + 2 : end]
        if marker == _SOS:
            break
        if marker in _JPEG_OTHER_SIZES:
            raise PictureUnreadable(
                message="The JPEG is coded in a way that browsers do not read either."
            )
        if marker in _JPEG_SIZES:
            size = marker, body
        elif marker == _APP1 and body[:6] in (b"Exif\0\0", b"Exif\0\xff"):
            orientation = orientation or _orientation(body[6:])
        elif marker == _APP2 and body[:12] == b"ICC_PROFILE\0":
            profile.setdefault(body[12], body[14:])
        if marker in (_APP0, _APP14) or not (_APP0 <= marker <= _APP0 + 15 or marker == _COM):
            head.append(b"\xff" + bytes([marker]) + data[start:end])
        place = end
    if size is None:
        raise PictureUnreadable
    scans, stop, is_cut = _jpeg_scans(data, place)
    height, width = struct.unpack(">HH", size[1][1:5])
    if scans > min(MOST_SCANS, MOST_SCANNED_PIXELS // max(1, width * height)):
        raise PictureTooCostly(message="The JPEG has more scans than are read at its size.")
    is_whole = size[0] != 0xC2 and scans == 1
    return PictureFile(
        "image/jpeg",
        b"".join((*head, memoryview(data)[place:stop], b"\xff\xd9")),
        width,
        height,
        most_pixels=MAX_PIXELS if is_whole else _most_held(size[1]),
        orientation=orientation or 1,
        profile=_joined(profile),
        is_cut=is_cut,
    )


def _jpeg_segment(data: bytes, place: int) -> tuple[int, int, int]:
    """Marker, and where its length and the next marker stand. Skips what lies between, as decoders
    do."""
    found = _JPEG_MARKER.search(data, place)
    if found is None:
        raise PictureUnreadable
    start = found.end()
    length = int.from_bytes(data[start : start + 2])
    if found[1][0] == _EOI or length < 2 or start + length > len(data):
        raise PictureUnreadable
    return found[1][0], start, start + length


def _jpeg_scans(data: bytes, place: int) -> tuple[int, int, bool]:
    """How many scans there are from here on, where they end, and whether the end is missing."""
    scans = 0
    while (found := _JPEG_MARKER.search(data, place)) is not None:
        if found[1][0] == _EOI:
            return scans, found.start(), False
        if found[1][0] == _SOS:
            scans += 1
            if scans > MOST_SCANS:
                return scans, found.start(), True
        length = int.from_bytes(data[found.end() : found.end() + 2])
        if found.end() + max(2, length) > len(data):
            return scans, found.start(), True
        place = found.end() + max(2, length)
    return scans, len(data) - (data[-1] == 0xFF), True


def _most_held(size: bytes) -> int:
    """Pixels of a JPEG whose coefficients of 16 bits all have to be held."""
    parts = [size[place + 1] for place in range(6, 6 + 3 * size[5], 3)]
    areas = [(part >> 4) * (part & 15) for part in parts]
    across, down = max(part >> 4 for part in parts), max(part & 15 for part in parts)
    for_one = 2 * sum(areas) / max(1, across * down)
    return min(MAX_PIXELS, int(MOST_COEFFICIENT_BYTES / max(for_one, 1)))


def _joined(parts: dict[int, bytes]) -> bytes:
    """A profile of pieces numbered from 1; empty where one is missing."""
    whole = b"".join(parts[number] for number in sorted(parts))
    return whole if sorted(parts) == list(range(1, len(parts) + 1)) else b""


def _webp(data: bytes) -> PictureFile:
    """EXIF is not looked at: browsers show WebP as it is coded."""
    chunks: dict[bytes, bytes] = {}
    for kind, body in _riff_chunks(data):
        if kind in (b"ANIM", b"ANMF") or (kind == b"VP8X" and body[:1] and body[0] & 2):
            raise PictureAnimated
        chunks.setdefault(kind, body)
    if b"VP8L" in chunks:
        bits = int.from_bytes(chunks[b"VP8L"][1:5], "little")
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        parts = [(b"VP8L", chunks[b"VP8L"])]
    else:
        width, height = struct.unpack("<HH", chunks.get(b"VP8 ", b"")[6:10])
        width, height = width & 0x3FFF, height & 0x3FFF
        parts = [(b"VP8 ", chunks[b"VP8 "])]
        if b"ALPH" in chunks:
            canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
            parts = [(b"VP8X", b"\x10\0\0\0" + canvas), (b"ALPH", chunks[b"ALPH"]), *parts]
    body = b"WEBP" + b"".join(_riff_chunk(kind, part) for kind, part in parts)
    return PictureFile(
        "image/webp",
        b"RIFF" + len(body).to_bytes(4, "little") + body,
        width,
        height,
        most_pixels=MOST_WEBP_PIXELS,
        profile=chunks.get(b"ICCP", b"")[:MOST_PROFILE_BYTES],
        is_cut=8 + int.from_bytes(data[4:8], "little") > len(data),
    )


def _riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = 12
    for _ in range(MOST_CHUNKS):
        if place + 8 > len(data):
            return
        length = int.from_bytes(data[place + 4 : place + 8], "little")
        yield data[place : place + 4], data[place + 8 : place + 8 + length]
        place += 8 + length + length % 2
    raise PictureTooCostly


def _riff_chunk(kind: bytes, body: bytes) -> bytes:
    return kind + len(body).to_bytes(4, "little") + body + b"\0" * (len(body) % 2)


def _avif(data: bytes) -> PictureFile:
    place = data.find(b"colrnclx", 0, MOST_BOX_BYTES) + 8
    codes = data[place : place + 4] if place >= 8 else b""
    space = colours.space_of_codes(*struct.unpack(">HH", codes)) if codes else None
    return PictureFile("image/avif", data, most_pixels=MOST_AVIF_PIXELS, space=space)


def _heic(data: bytes) -> PictureFile:
    return PictureFile("image/heic", data, most_pixels=MOST_HEIC_PIXELS)


_INSPECTORS = {
    "image/png": _png,
    "image/jpeg": _jpeg,
    "image/webp": _webp,
    "image/avif": _avif,
    "image/heic": _heic,
}


def _orientation(tiff: bytes) -> int:
    """EXIF's orientation, 1 to 8: only a single SHORT in the first directory counts (EXIF 2.32,
    section 4.6.4). 1 for anything else, as browsers have it.
    """
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(tiff[:4])
    if order is None:
        return 1
    try:
        (start,) = struct.unpack_from(f"{order}I", tiff, 4)
        (count,) = struct.unpack_from(f"{order}H", tiff, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind, values, value = struct.unpack_from(f"{order}HHIH", tiff, place)
            if tag == 0x0112:
                return value if (kind, values) == (3, 1) and 1 <= value <= 8 else 1
    except struct.error:
        return 1
    return 1
