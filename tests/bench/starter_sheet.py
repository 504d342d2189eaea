"""The contact sheet of the starter model: docs/benchmarks/starter.png.

Strips of film on paper. The seed of every frame is its number, so no picture was picked; the last
three strips show one row of prompts without and with each style adapter.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from generation.engine.jobs import AdapterUse
from generation.starter.layout import ADAPTERS, CATALOGUE
from tests.bench.likeness import Pixels
from tests.bench.report import FOLDER
from tests.bench.starter_artist import Artist

PAPER, INK, FILM, PRINT, AMBER = "#e9e7e1", "#1b1917", "#14110f", "#efe9dc", "#f0a63c"
COLUMNS, SIDE, GAP, MARGIN = 8, 128, 14, 32
EDGE, CAPTION = 22, 36
STRIP = EDGE + SIDE + CAPTION
WIDTH = 2 * MARGIN + COLUMNS * (SIDE + GAP) + GAP
PROMPTS = (
    "red apple", "rocket", "dog face", "pizza", "umbrella", "tree", "guitar", "house",
    "woman running: dark skin tone", "man running: light skin tone",
    "woman health worker: medium skin tone", "man astronaut: medium-dark skin tone",
    "thumbs up: medium-light skin tone", "old woman: light skin tone",
    "man cook: dark skin tone", "woman with headscarf: medium skin tone",
    "grinning face", "crying face", "cat face", "frog", "octopus", "fish", "lion", "penguin",
    "strawberry", "hamburger", "hot beverage", "bus", "bicycle", "sailboat", "red heart", "crown",
)  # fmt: skip
STYLED = (
    "red apple", "grinning face", "woman: dark skin tone", "dog face",
    "house", "rocket", "red heart", "man police officer: light skin tone",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Frame:
    pixels: Pixels
    prompt: str
    number: int


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


def _wrap(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and font.getlength(longer) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines[:2]


def _draw_strip(sheet: Image.Image, top: int, frames: list[Frame], edge: str) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rectangle((MARGIN, top, WIDTH - MARGIN, top + STRIP), FILM)
    small, tiny = _font(12), _font(10)
    draw.text((MARGIN + GAP, top + 5), edge, AMBER, tiny)
    for column, frame in enumerate(frames):
        left = MARGIN + GAP + column * (SIDE + GAP)
        sheet.paste(Image.fromarray(frame.pixels), (left, top + EDGE))
        number = str(frame.number)
        place = left + SIDE - tiny.getlength(number)
        draw.text((place, top + 5), number, AMBER, tiny)
        for line, text in enumerate(_wrap(frame.prompt, SIDE + GAP - 4, small)):
            draw.text((left, top + EDGE + SIDE + 4 + 14 * line), text, PRINT, small)


def _strips(artist: Artist) -> list[tuple[str, list[Frame]]]:
    def strip(
        prompts: tuple[str, ...], first: int, adapters: tuple[AdapterUse, ...] = ()
    ) -> list[Frame]:
        numbered = enumerate(prompts, first)
        return [Frame(artist.draw(p, seed=n, adapters=adapters).pixels, p, n) for n, p in numbered]

    starts = range(0, len(PROMPTS), COLUMNS)
    strips = [("PROOFSHEET STARTER", strip(PROMPTS[at : at + COLUMNS], at + 1)) for at in starts]
    strips.append(("NO ADAPTER", strip(STYLED, len(PROMPTS) + 1)))
    for said in json.loads((ADAPTERS / CATALOGUE).read_text("utf-8")):
        file = ADAPTERS / f"{said['slug']}.safetensors"
        use = (AdapterUse(said["slug"], file, 1.0),)
        strips.append((said["name"].upper(), strip(STYLED, len(PROMPTS) + 1, use)))
    return strips


def publish(artist: Artist) -> Path:
    """Draw the sheet and write it, with at most 256 colours; returns the path."""
    strips = _strips(artist)
    top = 104
    sheet = Image.new("RGB", (WIDTH, top + len(strips) * (STRIP + GAP) + MARGIN - GAP), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((MARGIN, 26), "Starter model, contact sheet", INK, _font(30))
    said = (
        f"{artist.default_steps} steps, guidance {artist.guidance:g}, {artist.side} px; "
        "the seed of a frame is its number, nothing was picked"
    )
    draw.text((MARGIN, 66), said, INK, _font(15))
    for index, (edge, frames) in enumerate(strips):
        _draw_strip(sheet, top + index * (STRIP + GAP), frames, edge)
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / "starter.png"
    palette = sheet.quantize(256, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    palette.save(path, optimize=True)
    return path
