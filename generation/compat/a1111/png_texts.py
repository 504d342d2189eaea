"""What A1111 wrote into a PNG: its `tEXt` chunk `parameters`. Pure; decodes no pixel."""

from __future__ import annotations

import re
import struct
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_MAX_BYTES = 64 * 1024
_HEADER_ENDS = len(SIGNATURE) + 8 + 13 + 4
_PAIR = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
_LEAST_PAIRS = 3


def parameters_in(png: bytes) -> str:
    """Empty where there are none, and for what is no PNG."""
    at = len(SIGNATURE) if png.startswith(SIGNATURE) else len(png)
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        body = png[at + 8 : at + 8 + min(length, TEXT_MAX_BYTES)]
        name, _, text = body.partition(b"\0")
        if kind == b"tEXt" and name == b"parameters":
            return text.decode("latin-1")
        if kind == b"iTXt" and name == b"parameters" and text.startswith(b"\0\0"):
            return text[2:].split(b"\0", 2)[-1].decode("utf-8", "replace")
        at += 12 + length
    return ""


def with_parameters(png: bytes, text: str) -> bytes:
    """The PNG with them after its header: as Latin-1 where that has all their letters, else as
    UTF-8 (`iTXt`), as A1111's own library writes them."""
    try:
        kind, body = b"tEXt", b"parameters\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        kind, body = b"iTXt", b"parameters\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(body)) + kind + body
    chunk += struct.pack(">I", zlib.crc32(kind + body))
    return png[:_HEADER_ENDS] + chunk + png[_HEADER_ENDS:]


def members_of(text: str) -> dict[str, str]:
    """Prompt, negative prompt and what the last line says."""
    lines = text.strip().split("\n")
    pairs = _PAIR.findall(lines[-1])
    said = {name: value.strip('"') for name, value in pairs} if len(pairs) >= _LEAST_PAIRS else {}
    words = "\n".join(lines[:-1] if said else lines)
    prompt, _, negative = words.partition("\nNegative prompt:")
    return {"Prompt": prompt.strip(), "Negative prompt": negative.strip()} | said
