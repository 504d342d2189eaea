"""Text on a notice's card: what a font can draw of it, in lines that fit. Pure."""

from functools import lru_cache
from importlib.resources import files

from PIL import ImageFont

_FOLDER = files("reportlab") / "fonts"
_FACES = {True: "VeraBd.ttf", False: "Vera.ttf"}  # Bitstream Vera: Latin with its accents
_UNKNOWN = "\uffff"  # no font has it: what is drawn in its place stands for every missing letter
ELLIPSIS = "…"


@lru_cache(maxsize=64)
def font(size: int, *, is_bold: bool = False) -> ImageFont.FreeTypeFont:
    """The card's font at that many pixels."""
    return ImageFont.truetype(str(_FOLDER / _FACES[is_bold]), size)


def drawable(text: str) -> str:
    """The text in one line, what the font does not have as a question mark."""
    plain = " ".join(text.split())
    return "".join(letter if _is_known(letter) else "?" for letter in plain)


def lines_of(text: str, face: ImageFont.FreeTypeFont, *, width: int, most: int) -> list[str]:
    """At most that many lines, none wider than `width` pixels; the last of too
    many ends in an ellipsis. A word that is too wide by itself goes on in the next line.
    """
    lines = [""]
    for word in text.split(" "):
        if face.getlength(f"{lines[-1]} {word}".strip()) <= width:
            lines[-1] = f"{lines[-1]} {word}".strip()
            continue
        if lines[-1]:
            lines.append("")
        for letter in word:
            if lines[-1] and face.getlength(lines[-1] + letter) > width:
                lines.append("")
            lines[-1] += letter
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], _shortened(lines[most - 1], face, width)]


def _shortened(line: str, face: ImageFont.FreeTypeFont, width: int) -> str:
    while line and face.getlength(line + ELLIPSIS) > width:
        line = line[:-1]
    return line + ELLIPSIS


@lru_cache(4096)
def _is_known(letter: str) -> bool:
    face = font(32)
    return letter == " " or bytes(face.getmask(letter)) != bytes(face.getmask(_UNKNOWN))
