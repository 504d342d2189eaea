"""Captions: what the people who train and prompt the starter model call a picture.

Source: emojibase-data (MIT), English labels and tags by code point.
"""

from __future__ import annotations

import json
import random
import re
from dataclasses import dataclass
from pathlib import Path

FLAGS = 9
EMOJI_VARIATION = "fe0f"
ARTICLES = ("a", "the", "an", "one")
MEDIUMS = ("emoji", "icon", "picture", "drawing")
_UNWANTED = re.compile(r"[“”’‘\"().!?#*]")
_SEPARATORS = re.compile(r"[:,\-]")


@dataclass(frozen=True, slots=True)
class Caption:
    """What one picture shows; `variants` pictures differ from it in skin tone only."""

    code: str
    label: str
    tags: tuple[str, ...]
    variants: int

    @property
    def weight(self) -> float:
        """How often training draws it: single objects more often than one of many skin tones."""
        return float(self.variants**-0.75)


def bare_code(code: str) -> str:
    """Code points in lower case joined by '-', without the emoji variation selector."""
    parts = code.lower().split("-")
    return "-".join(part for part in parts if part != EMOJI_VARIATION)


def normalise(label: str) -> str:
    """Lower case, '&' spelt out, no quotes; colons, commas and hyphens stay."""
    text = _UNWANTED.sub("", label.lower().replace("&", "and"))
    return " ".join(text.split())


def plain(label: str) -> str:
    """The normalised label with its colons, commas and hyphens as spaces."""
    return " ".join(_SEPARATORS.sub(" ", normalise(label)).split())


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
                tags=tuple(plain(tag) for tag in row.get("tags", [])),
                variants=1 + len(skins),
            )
    return captions


def vary(caption: Caption, rng: random.Random) -> str:
    """One way to ask for the picture: with or without punctuation, article, medium or a tag."""
    text = caption.label if rng.random() < 0.4 else plain(caption.label)
    if caption.tags and rng.random() < 0.1:
        text = f"{text} {rng.choice(caption.tags)}"
    if rng.random() < 0.3:
        text = f"{rng.choice(ARTICLES)} {text}"
    if rng.random() < 0.1:
        text = f"{text} {rng.choice(MEDIUMS)}"
    return text


def vocabulary(captions: list[Caption]) -> list[str]:
    """Every word that `vary` can say, sorted."""
    words = {*ARTICLES, *MEDIUMS}
    for caption in captions:
        words.update(plain(caption.label).split())
        for tag in caption.tags:
            words.update(tag.split())
    return sorted(words)
