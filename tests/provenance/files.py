"""Files that are not what they should be, made from scratch, and pictures as files."""

import io
import struct
import zlib
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from provenance.manifests.definition import ManifestClaim
from tests.provenance.pictures import photograph

Pixels = NDArray[np.uint8]
CLAIM = ManifestClaim(
    asset_id="6d4e0b5e-0000-4000-8000-000000000001",
    system_name="Proofsheet",
    system_version="0.1.0",
    model="starter",
    created_at=datetime(2026, 11, 24, 12, tzinfo=UTC),
    watermark_id="00ff00ff00ff00ff",
)


def saved(image: Image.Image | Pixels, kind: str, **options: Any) -> bytes:
    """A picture as a file of this kind, without any mark in its metadata."""
    if not isinstance(image, Image.Image):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _small() -> Image.Image:
    return Image.fromarray(photograph("coffee", 128))


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def bomb() -> bytes:
    """A PNG of a few hundred bytes that says it is 60,000 pixels square."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = zlib.compress(b"\0" * 200_000, 9)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def deep_png() -> bytes:
    """Sixteen bits a channel, in colour, which Pillow itself cannot write."""
    grey = np.arange(64, dtype=">u2")[None, :, None] * np.full((64, 1, 3), 1024, ">u2")
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in grey)
    header = struct.pack(">IIBBBBB", 64, 64, 16, 2, 0, 0, 0)
    signature = b"\x89PNG\r\n\x1a\n"
    return (
        signature
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def turned_jpeg() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(_small().crop((0, 0, 128, 64)), "JPEG", exif=exif)


def animated(kind: str) -> bytes:
    frames = [_small(), _small().rotate(90)]
    return saved(frames[0], kind, save_all=True, append_images=frames[1:], duration=100)


SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><html><body><img src=x onerror=alert(1)></body></html>"


def refused() -> dict[str, tuple[bytes, str, int]]:
    """Name, bytes, code and status of files that cannot be looked at."""
    png = saved(_small(), "PNG")
    return {
        "empty.png": (b"", "picture_empty", 422),
        "svg.png": (SVG, "not_a_picture", 415),
        "html.png": (HTML, "not_a_picture", 415),
        "text.txt": (b"hello", "not_a_picture", 415),
        "animation.gif": (animated("GIF"), "not_a_picture", 415),
        "animation.png": (animated("PNG"), "picture_animated", 415),
        "animation.webp": (animated("WEBP"), "picture_animated", 415),
        "truncated.png": (png[: len(png) // 2], "picture_unreadable", 422),
        "header_only.png": (png[:30], "picture_unreadable", 422),
        "truncated.jpg": (saved(_small(), "JPEG")[:900], "picture_unreadable", 422),
        "truncated.webp": (saved(_small(), "WEBP")[:400], "picture_unreadable", 422),
        "bomb.png": (bomb(), "too_many_pixels", 413),
        "dot.png": (saved(Image.new("RGB", (3, 3)), "PNG"), "picture_too_small", 422),
    }


def converted() -> dict[str, tuple[bytes, str]]:
    """Name, bytes and a word of the note of files that are looked at after a conversion."""
    deep = Image.fromarray((np.arange(64 * 64, dtype=np.uint16) * 16).reshape(64, 64))
    clear = _small().convert("RGBA")
    clear.putalpha(128)
    return {
        "cmyk.jpg": (saved(_small().convert("CMYK"), "JPEG"), "CMYK"),
        "deep_grey.png": (saved(deep, "PNG"), "16 bits"),
        "deep_colour.png": (deep_png(), "16 bits"),
        "turned.jpg": (turned_jpeg(), "turned"),
        "clear.png": (saved(clear, "PNG"), "transparent"),
    }
