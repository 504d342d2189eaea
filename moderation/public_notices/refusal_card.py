"""A refusal or a hold as a picture, for programs that show a person nothing else: why, the address
where it is read and contested, and the same as a QR code.

Dark on light and in plain words, so that nobody takes it for what was asked for. It is signed as
what it is, a drawing of words by a program: no model made it, so it has neither the mark of a
generated picture nor a place in the log (ADR 107).
"""

import logging
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Literal

import numpy as np
import segno
from PIL import Image, ImageDraw

from config.core.errors import ProofsheetError
from moderation.public_notices.card_text import drawable, font, lines_of
from provenance.assets import notice_signing
from provenance.manifests.content_credentials import SigningFailed

SIDE_MIN, SIDE_MAX = 256, 4096
ADDRESS_MAX = 200  # characters; more make a code that no telephone reads from a small picture
_PAPER, _INK, _ACCENT = (247, 246, 242), (27, 25, 23), (155, 22, 36)
_QUIET = 4  # modules of paper around a QR code
_LINE_HEIGHT, _LEAST_SIZE = 1.3, 9
Kind = Literal["refused", "held"]
TITLES: dict[Kind, str] = {"refused": "Request refused", "held": "Waits for a person"}
WHERE: dict[Kind, str] = {
    "refused": "Reasons and appeal, without an account:",
    "held": "How far it is, without an account:",
}
NOT_A_PICTURE = "A notice, not an AI picture."
logger = logging.getLogger(__name__)


class CardSizeUnusable(ProofsheetError):
    """Smaller than a code that can be read, or larger than any picture here."""

    default_code = "card_size_unusable"
    default_message = f"A notice is drawn from {SIDE_MIN} to {SIDE_MAX} pixels a side."
    default_advice = "Ask for a size within that."
    default_status = 422


@dataclass(frozen=True, slots=True)
class _Paragraph:
    text: str
    scale: float  # of the text's size
    most_lines: int
    is_bold: bool = False
    is_accented: bool = False


@dataclass(frozen=True, slots=True)
class _Area:
    left: int
    top: int
    width: int
    height: int


def draw(
    *,
    reason: str,
    address: str,
    width: int,
    height: int,
    issuer: str,
    at: datetime,
    kind: Kind = "refused",
) -> bytes:
    """PNG bytes of the card, signed where the house can sign now. Raises CardSizeUnusable."""
    if min(width, height) < SIDE_MIN or max(width, height) > SIDE_MAX:
        raise CardSizeUnusable
    card = Image.new("RGB", (width, height), _PAPER)
    margin = max(10, min(width, height) // 20)
    ImageDraw.Draw(card).rectangle((0, 0, width, max(4, margin // 3)), fill=_ACCENT)
    is_wide = width >= height * 1.3
    code = _code(address, _room(width, height, margin, is_wide=is_wide))
    card.paste(code, (width - code.width - margin, height - code.height - margin))
    box = (
        _Area(margin, 2 * margin, width - code.width - 3 * margin, height - 3 * margin)
        if is_wide
        else _Area(margin, 2 * margin, width - 2 * margin, height - code.height - 3 * margin)
    )
    _write(card, box, _paragraphs(kind, reason, address, issuer))
    plain = BytesIO()
    card.save(plain, "PNG")
    return _signed(plain.getvalue(), at=at)


def _room(width: int, height: int, margin: int, *, is_wide: bool) -> int:
    """The side of the square that the code may take."""
    if is_wide:
        return min(height - 3 * margin, width * 2 // 5)
    return min(width - 2 * margin, height // 2)


def _code(address: str, room: int) -> Image.Image:
    """The QR code, each module as many whole pixels as there is room for."""
    assert len(address) <= ADDRESS_MAX, "addresses are made of PUBLIC_URL and a token"
    code = segno.make(address, error="m", micro=False, boost_error=False)
    side, _ = code.symbol_size(border=_QUIET)
    rows = code.matrix_iter(scale=max(1, room // side), border=_QUIET)
    dark = np.array([list(row) for row in rows], dtype=bool)
    return Image.fromarray(np.where(dark[..., None], _INK, _PAPER).astype(np.uint8))


def _paragraphs(kind: Kind, reason: str, address: str, issuer: str) -> list[_Paragraph]:
    shown = address.removeprefix("https://").removeprefix("http://")
    return [
        _Paragraph(TITLES[kind], 1.5, 2, is_bold=True, is_accented=True),
        _Paragraph(drawable(reason), 1.15, 3, is_bold=True),
        _Paragraph(WHERE[kind], 1, 2),
        _Paragraph(shown, 1, ADDRESS_MAX, is_bold=True),
        _Paragraph(f"{NOT_A_PICTURE} {drawable(issuer)}", 0.85, 2),
    ]


def _write(card: Image.Image, box: _Area, paragraphs: list[_Paragraph]) -> None:
    """As large as fits; what does not fit in the smallest is left out from the end, the address
    last of all.
    """
    largest = max(_LEAST_SIZE, round(min(card.size) * 0.05))
    for shown in (paragraphs, paragraphs[:-1], [paragraphs[0], paragraphs[3]], [paragraphs[3]]):
        for size in range(largest, _LEAST_SIZE - 1, -1):
            laid = [(each, _laid(each, size, box.width)) for each in shown]
            if sum(_height(each, size, len(lines)) for each, lines in laid) <= box.height:
                _draw(card, box, laid, size)
                return


def _laid(each: _Paragraph, size: int, width: int) -> list[str]:
    face = font(round(size * each.scale), is_bold=each.is_bold)
    return lines_of(each.text, face, width=width, most=each.most_lines)


def _height(each: _Paragraph, size: int, lines: int) -> int:
    return round(size * each.scale * _LINE_HEIGHT) * lines + size // 2


def _draw(
    card: Image.Image, box: _Area, laid: list[tuple[_Paragraph, list[str]]], size: int
) -> None:
    pen, top = ImageDraw.Draw(card), box.top
    for each, lines in laid:
        face = font(round(size * each.scale), is_bold=each.is_bold)
        step, ink = round(size * each.scale * _LINE_HEIGHT), _ACCENT if each.is_accented else _INK
        for number, line in enumerate(lines):
            pen.text((box.left, top + number * step), line, ink, face)
        top += _height(each, size, len(lines))


def _signed(png: bytes, *, at: datetime) -> bytes:
    """Without a signature it is the same notice: a refusal is told either way."""
    try:
        return notice_signing.signed(png, at=at)
    except SigningFailed:
        logger.exception("a notice was drawn without a signature")
        return png
