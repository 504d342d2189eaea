"""Where files that are no still pictures keep a C2PA manifest store (C2PA 2.x, appendix A). Pure.

Of these the manifest alone is read: a video, an animation, a GIF, a TIFF, an SVG, a PDF.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import islice
from typing import Literal

from provenance.pictures.refusals import COPY_LOSES, Mime, NotAPicture

OtherMime = Literal[
    "video/mp4",
    "audio/mp4",
    "image/gif",
    "image/tiff",
    "image/svg+xml",
    "application/pdf",
]
AssetMime = Mime | OtherMime
NAMES: dict[AssetMime, str] = {
    "video/mp4": "a video",
    "audio/mp4": "a sound recording",
    "image/heic": "a HEIF of an unusual kind",
    "image/gif": "a GIF",
    "image/tiff": "a TIFF",
    "image/svg+xml": "an SVG drawing",
    "application/pdf": "a PDF",
}
"""What a file is called; whatever else comes here is an animation."""
_HEAD = re.compile(rb"jumb(?:.{4}|.{12})jumd", re.DOTALL)
_GIF_NAME = b"C2PA_GIF"
_GIF_BLOCK = b"\x21\xff\x0b" + _GIF_NAME
_SVG_NAME = b"<c2pa:manifest"
_SVG_STORE = re.compile(
    _SVG_NAME + rb"""(?:\s+[\w:.-]+=(?:"[^"<>]*"|'[^'<>]*'))*\s*>([A-Za-z0-9+/=\s]+)</"""
)
_SEVERAL, _BROKEN = [b"", b""], [b"\0"]
"""What is refused by its number, and what is refused as no box."""


def _spelt(name: str) -> bytes:
    """A PDF's name, whose letters may be written by their numbers."""
    return b"/" + b"".join(b"(?:%c|#(?i:%02x))" % (letter, letter) for letter in name.encode())


_MOST_POINTERS = 10_000
_INFLATED = re.compile(_spelt("XRef") + b"|" + _spelt("ObjStm"))
_POINTER = re.compile(rb"(?:startxref|" + _spelt("Prev") + rb")(?:\s*(\d{1,12})\b(\s+\d+\s+R)?)?")


def mime_of(data: bytes) -> AssetMime | None:
    """The format of a file that is no still picture, by its first bytes, where its manifest can be
    read; None of any other. Raises `NotAPicture` of a PDF that is not given to a reader.
    """
    if data.startswith(b"GIF8"):
        return "image/gif"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if data.startswith(b"%PDF"):
        _check_pdf(data)
        return "application/pdf"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[4:8] == b"ftyp":
        return _by_brand(data[8:12])
    return "image/svg+xml" if b"<svg" in data[:1024].lower() else None


def _by_brand(brand: bytes) -> AssetMime:
    if brand == b"avis":
        return "image/avif"
    if brand in (b"mif1", b"msf1") or brand[:3] in (b"hei", b"hev"):
        return "image/heic"
    return "audio/mp4" if brand in (b"M4A ", b"M4B ", b"M4P ") else "video/mp4"


def _check_pdf(pdf: bytes) -> None:
    """Raises `NotAPicture` where the structure is compressed, or may be: its reader would inflate
    it without a bound of ours. What is pointed to as a table of places must be one in plain text.
    """
    pointers = list(islice(_POINTER.finditer(pdf), _MOST_POINTERS))
    is_plain = len(pointers) < _MOST_POINTERS and all(
        found[2] or (found[1] and pdf.startswith(b"xref", int(found[1]))) for found in pointers
    )
    if not is_plain or _INFLATED.search(pdf):
        raise NotAPicture(
            message="The file is a PDF whose structure is compressed, or may be: whether it has "
            "Content Credentials was not looked at.",
            advice=f"Pixel marks are looked for in pictures alone. {COPY_LOSES}",
        )


def stores(data: bytes, mime: AssetMime) -> list[bytes]:
    """The manifest stores in such a file, two where there are more. Of those in no container of
    C2PA's, by where one begins and how long its box is: c2pa must not find another than that.
    """
    match mime:
        case "image/gif":
            return _from_gif_block(data)
        case "image/svg+xml":
            return _from_svg(data)
        case _:
            return list(islice(_from_heads(data), 2))


def _from_heads(data: bytes) -> Iterator[bytes]:
    """Heads of boxes that lie in no store before, with lengths of 32 and of 64 bits."""
    place = 4
    while head := _HEAD.search(data, place):
        start = head.start() - 4
        size = int.from_bytes(data[start : start + 4])
        if size == 1:
            size = int.from_bytes(data[start + 8 : start + 16])
        place = min(max(start + (size or len(data)), head.end()), len(data))
        yield data[start:place]


def _from_gif_block(data: bytes) -> list[bytes]:
    """Sub-blocks of at most 255 bytes after the application's name and code, until an empty one.

    A name that lies elsewhere, in a comment, is one too many.
    """
    if data.count(_GIF_NAME) > 1:
        return _SEVERAL
    if (place := data.find(_GIF_BLOCK)) < 0:
        return []
    place += len(_GIF_BLOCK) + 3
    store = bytearray()
    while place < len(data) and (length := data[place]):
        store += data[place + 1 : place + 1 + length]
        place += 1 + length
    return [bytes(store)]


def _from_svg(data: bytes) -> list[bytes]:
    """The one element, with quoted attributes and nothing but Base64 in it; in a comment or not."""
    if (count := data.count(_SVG_NAME)) != 1:
        return _SEVERAL if count else []
    found = _SVG_STORE.match(data, data.find(_SVG_NAME))
    try:
        return [base64.b64decode(found[1], validate=False)] if found else _BROKEN
    except binascii.Error:
        return _BROKEN
