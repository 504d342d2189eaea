"""What A1111 wrote into a PNG: its `tEXt` chunk `parameters`. Pure; decodes no pixel."""

from __future__ import annotations

import re
import struct

SIGNATURE = b"\x89PNG\r\n\x1a\n"
TEXT_MAX_BYTES = 64 * 1024
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
        at += 12 + length
    return ""


def members_of(text: str) -> dict[str, str]:
    """Prompt, negative prompt and what the last line says."""
    lines = text.strip().split("\n")
    pairs = _PAIR.findall(lines[-1])
    said = {name: value.strip('"') for name, value in pairs} if len(pairs) >= _LEAST_PAIRS else {}
    words = "\n".join(lines[:-1] if said else lines)
    prompt, _, negative = words.partition("\nNegative prompt:")
    return {"Prompt": prompt.strip(), "Negative prompt": negative.strip()} | said
