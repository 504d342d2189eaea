"""A label that people can see, drawn on a picture before its watermark: an “AI” sign and a text.

After the icon of the EU's Code of Practice on marking: two letters in a frame, beside them what
they mean, light on dark, so that it reads on any picture. Pure.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from config.core.errors import ProofsheetError

LONGEST_TEXT = 40
SIGN = "AI"
_LATIN = str(files("reportlab") / "fonts" / "VeraBd.ttf")  # Bitstream Vera, with accents
_EASTERN = str(Path(__file__).parent / "fonts" / "label_cjk.otf")  # what labels say in CJK
_FONTS = (_LATIN, _EASTERN)
_CHINA, _CHINA_S_SHARE = ("生成", "合成"), 0.1
"""Words of the label of GB 45438-2025, whose letters are a twentieth of the shorter side high."""
_SHARE, _LEAST_HEIGHT, _SMALLEST, _MOST_WIDTH = 0.055, 22, 16, 0.96
_UNKNOWN = "\uffff"  # no font has it: what is drawn in its place stands for every missing letter
_INK, _PAPER = (255, 255, 255, 255), (16, 16, 20, 205)


class Position(StrEnum):
    """The corner that the label stands in."""

    BOTTOM_RIGHT = "bottom-right"
    BOTTOM_LEFT = "bottom-left"
    TOP_RIGHT = "top-right"
    TOP_LEFT = "top-left"


class LabelUnusable(ProofsheetError):
    """A text that is empty, too long or not in the font, or a corner that does not exist."""

    default_code = "label_unusable"
    default_message = "The label cannot be drawn."
    default_advice = (
        f"Use at most {LONGEST_TEXT} letters of the Latin script, or of the words that labels have "
        "in Chinese, Japanese and Korean, and a corner that is offered."
    )
    default_status = 422


@dataclass(frozen=True, slots=True)
class VisibleLabel:
    """What the label says beside its sign, and where it stands."""

    text: str
    position: Position

    def __str__(self) -> str:
        """As it is stored: the corner, a space, the text."""
        return f"{self.position} {self.text}"


def parse(stored: str) -> VisibleLabel | None:
    """The inverse of `str`; None for the empty string."""
    position, _, text = stored.partition(" ")
    return VisibleLabel(text, Position(position)) if stored else None


def checked(text: str, position: str) -> VisibleLabel:
    """The label, where it can be drawn. Raises `LabelUnusable`."""
    if position not in set(Position) or not text.strip() or len(text) > LONGEST_TEXT:
        raise LabelUnusable
    if not text.isprintable() or _font_of(text) is None:
        raise LabelUnusable(message="The label's text has letters that no font here knows.")
    return VisibleLabel(text, Position(position))


def _font_of(text: str) -> str | None:
    """The first font that has every letter of a text."""
    return next((file for file in _FONTS if all(_is_known(each, file) for each in text)), None)


@lru_cache(4096)
def _is_known(letter: str, file: str) -> bool:
    """Whether the font has it; asked for each letter of each request's label."""
    font = _font(32, file)
    return bytes(font.getmask(letter)) != bytes(font.getmask(_UNKNOWN))


def draw(pixels: NDArray[np.uint8], label: VisibleLabel) -> NDArray[np.uint8]:
    """A copy of uint8 [H, W, 3] RGB pixels with the label on it.

    About a twentieth of the shorter side high (in Chinese a tenth), and never wider than the
    picture: on a narrow one it shrinks, and its text goes before its sign does.
    """
    height, width = pixels.shape[:2]
    share = _CHINA_S_SHARE if any(word in label.text for word in _CHINA) else _SHARE
    wanted = size = max(_LEAST_HEIGHT, round(min(height, width) * share))
    badge = _badge(label.text, size)
    while badge.width > width * _MOST_WIDTH and size > _SMALLEST:
        size -= 1
        badge = _badge(label.text, size)
    if badge.width > width * _MOST_WIDTH:
        badge = _badge("", wanted)
    picture = Image.fromarray(pixels).convert("RGBA")
    picture.alpha_composite(badge.crop((0, 0, width, height)), _corner(picture, badge, label))
    return np.array(picture.convert("RGB"), np.uint8)


def _corner(picture: Image.Image, badge: Image.Image, label: VisibleLabel) -> tuple[int, int]:
    margin = max(2, badge.height // 3)
    right = max(0, picture.width - badge.width - margin)
    low = max(0, picture.height - badge.height - margin)
    left, top = min(margin, right), min(margin, low)
    return (
        right if label.position.endswith("right") else left,
        low if label.position.startswith("bottom") else top,
    )


def _badge(text: str, size: int) -> Image.Image:
    """The label by itself, RGBA, `size` pixels high."""
    gap, line = max(2, size // 5), max(1, size // 14)
    sign = _font(round(size * 0.5), _LATIN)
    words = _font(round(size * 0.56), _font_of(text) or _LATIN)
    frame = round(sign.getlength(SIGN)) + 2 * gap
    width = frame + 2 * gap + (round(words.getlength(text)) + gap if text else 0)
    badge = Image.new("RGBA", (width, size))
    pen = ImageDraw.Draw(badge)
    pen.rounded_rectangle((0, 0, width - 1, size - 1), size // 4, fill=_PAPER)
    box = (gap, gap, gap + frame - 1, size - gap - 1)
    pen.rounded_rectangle(box, size // 8, outline=_INK, width=line)
    pen.text((gap + frame / 2, size / 2), SIGN, _INK, sign, anchor="mm")
    if text:
        pen.text((2 * gap + frame, size / 2), text, _INK, words, anchor="lm")
    return badge


@lru_cache(maxsize=32)
def _font(size: int, file: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(file, size)
