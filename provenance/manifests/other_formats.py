"""Where files that are no still pictures keep a C2PA manifest store (C2PA 2.x, appendix A). Pure.

Of these the manifest alone is read: a video, an animation, a GIF, a TIFF, an SVG, a PDF.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from typing import Literal

from provenance.pictures.decoder import Mime

OtherMime = Literal[
    "video/mp4", "image/gif", "image/tiff", "image/svg+xml", "application/pdf", "image/avif"
]
AssetMime = Mime | OtherMime
NAMES: dict[AssetMime, str] = {
    "video/mp4": "a video",
    "image/gif": "a GIF",
    "image/tiff": "a TIFF",
    "image/svg+xml": "an SVG drawing",
    "application/pdf": "a PDF",
}
"""What a file is called; whatever else comes here is an animation."""
_STORE = re.compile(rb"(?=(.{4})jumb.{4}jumdc2pa)", re.DOTALL)
_GIF_BLOCK = b"\x21\xff\x0bC2PA_GIF"
_SVG_STORE = re.compile(rb"<c2pa:manifest[^>]{0,400}>([A-Za-z0-9+/=\s]+)</")
_ESCAPED = re.compile(rb"#([0-9A-Fa-f]{2})")


def mime_of(data: bytes) -> AssetMime | None:
    """The format of a file that is no still picture, by its first bytes, where its manifest can be
    read; None of any other.
    """
    if data.startswith(b"GIF8"):
        return "image/gif"
    if data.startswith((b"II*\0", b"MM\0*")):
        return "image/tiff"
    if data.startswith(b"%PDF"):
        return None if _is_inflated(data) else "application/pdf"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if data[4:8] == b"ftyp":
        return "image/avif" if data[8:12] == b"avis" else "video/mp4"
    return "image/svg+xml" if b"<svg" in data[:1024].lower() else None


def _is_inflated(pdf: bytes) -> bool:
    """Whether a PDF's structure is compressed: its reader would inflate it without a bound. Letters
    of a name may be written by their numbers.
    """
    plain = _ESCAPED.sub(lambda found: bytes.fromhex(found[1].decode()), pdf)
    return b"ObjStm" in plain or b"XRef" in plain


def stores(data: bytes, mime: AssetMime) -> list[bytes]:
    """Every manifest store in such a file; of those in no container of C2PA's, by where one begins
    and how long its box is.
    """
    match mime:
        case "image/gif":
            return list(_from_gif_blocks(data))
        case "image/svg+xml":
            return list(_from_svg(data))
        case _:
            return [
                data[found.start() : found.start() + int.from_bytes(found[1])]
                for found in _STORE.finditer(data)
            ]


def _from_gif_blocks(data: bytes) -> Iterator[bytes]:
    """Sub-blocks of at most 255 bytes after the application's name and code, until an empty one."""
    place = data.find(_GIF_BLOCK)
    while place >= 0:
        place += len(_GIF_BLOCK) + 3
        pieces = []
        while place < len(data) and (length := data[place]):
            pieces.append(data[place + 1 : place + 1 + length])
            place += 1 + length
        yield b"".join(pieces)
        place = data.find(_GIF_BLOCK, place)


def _from_svg(data: bytes) -> Iterator[bytes]:
    for found in _SVG_STORE.finditer(data):
        try:
            yield base64.b64decode(found[1], validate=False)
        except binascii.Error:
            yield b""
