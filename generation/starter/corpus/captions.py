"""Captions: what the people who train and prompt the starter model call a picture.

Source: emojibase-data (MIT), English labels and tags by code point.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

FLAGS = 9
EMOJI_VARIATION = "fe0f"
_UNWANTED = re.compile(r"[“”’‘\"().!?#*]")


@dataclass(frozen=True, slots=True)
class Caption:
    """What one picture shows; `variants` pictures differ from it in skin tone only."""

    code: str
    label: str
    variants: int


def bare_code(code: str) -> str:
    """Code points in lower case joined by '-', without the emoji variation selector."""
    parts = code.lower().split("-")
    return "-".join(part for part in parts if part != EMOJI_VARIATION)


def normalise(label: str) -> str:
    """Lower case, '&' spelt out, no quotes; colons, commas and hyphens stay."""
    text = _UNWANTED.sub("", label.lower().replace("&", "and"))
    return " ".join(text.split())


def read_captions(emojibase: Path) -> dict[str, Caption]:
    """Bare code point to caption, from an unpacked emojibase-data; flags and keycaps left out."""
    captions: dict[str, Caption] = {}
    for row in json.loads((emojibase / "en" / "data.json").read_text("utf-8")):
        if row.get("group", FLAGS) == FLAGS or row["label"].startswith("keycap"):
            continue
        skins = row.get("skins", [])
        for each in [row, *skins]:
            code = bare_code(each["hexcode"])
            captions[code] = Caption(
                code=code,
                label=normalise(each["label"]),
                variants=1 + len(skins),
            )
    return captions
