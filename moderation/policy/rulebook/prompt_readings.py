"""Readings of a prompt: what a person sees in it, whatever characters it was typed with.

A reading keeps, for each of its characters, which characters of the original it stands for, so that
a match can be shown in the text as typed. Sources: Unicode UAX #15 (NFKC), UTS #39 (confusables;
the table below is the part of it that imitates Latin letters in Cyrillic, Greek and Armenian).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from moderation.policy.rulebook import prompt_syntax
from moderation.policy.rulebook.characters import is_unread

Cell = tuple[
    str, int, int
]  # one character, and the [start, end) of the original that it stands for

CONFUSABLE = str.maketrans(
    "абвгеёзийклмнорстухчьѕіјһԁԛԝүӏҝґԍаαβγεζηικνορτυχωϲϳօոսցհքզꓲɑɡıƖʟɪʀꜱᴀᴇᴏᴜ",
    "a6bree3uuklmhopctyx4bsijhdqwylkrgaabyeznikvoptuxwcjonughqqiagillirsaeou",
)
LEET = str.maketrans("013457@$|", "oieastasi")
SPACED_RUN = re.compile(r"(?<![a-z0-9])(?:[a-z][^a-z0-9]{1,3}){2,}[a-z](?![a-z0-9])")
TOKEN = re.compile(r"\S+")
REPEATED = re.compile(r"([a-z])\1{2,}")
INNER_PUNCTUATION = re.compile(r"(?<=[a-z])[^\sa-z0-9](?=[a-z])")


@dataclass(frozen=True, slots=True)
class PromptReading:
    """One way to read a prompt. `is_run`: letters once spaced out, so word borders are lost."""

    cells: tuple[Cell, ...]
    is_run: bool = False

    @property
    def text(self) -> str:
        return "".join(character for character, _, _ in self.cells)

    def original(self, start: int, end: int) -> tuple[int, int]:
        """The span of the original that `text[start:end]` (not empty) stands for."""
        return self.cells[start][1], max(cell[2] for cell in self.cells[start:end])


def canonical(text: str) -> PromptReading:
    """Folded case and width, Latin look-alikes as Latin, no marks or invisible characters, single
    spaces.
    """
    return PromptReading(tuple(_single_spaces(_unconfused(_folded(text)))))


def as_drawn(text: str) -> tuple[PromptReading, ...]:
    """Canonical readings of what a model reads in a prompt: what is not weakened, by which alone a
    context may excuse, and all of it where that is more."""
    found = prompt_syntax.read(text)
    heard = zip(found.text, found.weights, strict=True)
    strong = "".join(letter if weight >= 1 else " " for letter, weight in heard)
    plain = [_placed(canonical(part), found.origins) for part in (strong, found.text)]
    return tuple({reading.text: reading for reading in plain}.values())


def readings(text: str) -> list[PromptReading]:
    """All distinct readings of `text`, what a model takes most of first: as it is typed, without
    the brackets and the like by which a prompt is weighed (`prompt_syntax`), and without what these
    weaken."""
    found = prompt_syntax.read(text)
    if found.text == text and min(found.weights, default=1.0) >= 1:
        return _readings(text)
    kept = [index for index, weight in enumerate(found.weights) if weight >= 1]
    strong = "".join(found.text[index] for index in kept)
    without = [_placed(reading, found.origins) for reading in _readings(found.text)]
    without += [_placed(r, [found.origins[index] for index in kept]) for r in _readings(strong)]
    return [*as_drawn(text), *without, *_readings(text)]


def _placed(reading: PromptReading, origins: Sequence[int]) -> PromptReading:
    """A reading of a text without syntax, its places those of the text as it was typed."""
    cells = tuple((c, origins[start], origins[end - 1] + 1) for c, start, end in reading.cells)
    return PromptReading(cells, reading.is_run)


def _readings(text: str) -> list[PromptReading]:
    plain = canonical(text)
    leet = _deleeted(plain, one="i")
    wholes = [plain, leet, _deleeted(plain, one="l")]
    wholes += [_replaced(reading, INNER_PUNCTUATION, lambda _: 0) for reading in (plain, leet)]
    wholes += [_replaced(leet, REPEATED, lambda _: 2), _replaced(leet, REPEATED, lambda _: 1)]
    wholes += [PromptReading(tuple(_single_spaces(_folded(text)))), decoded(plain)]
    return [*{reading.text: reading for reading in wholes}.values(), *_runs(leet)]


def decoded(plain: PromptReading) -> PromptReading:
    """The one reading for a learned classifier: leetspeak, spacing and stretched letters undone."""
    leet = _deleeted(plain, one="i")
    joined = _replaced(leet, SPACED_RUN, None)
    return _replaced(joined, REPEATED, lambda _: 1)


def _folded(text: str) -> list[Cell]:
    return [cell for index, character in enumerate(text) for cell in _fold(character, index)]


def _fold(character: str, index: int) -> Iterator[Cell]:
    kept = "".join(
        part
        for part in unicodedata.normalize("NFKD", character)
        if part.isspace() or not is_unread(part)
    )
    for part in unicodedata.normalize("NFKC", kept).casefold():
        yield (" " if part.isspace() else part), index, index + 1


def _unconfused(cells: list[Cell]) -> list[Cell]:
    """Words of look-alikes become Latin; a word with a letter that imitates none stays (real
    Cyrillic).
    """
    result: list[Cell] = []
    for _, group in groupby(cells, key=lambda cell: cell[0] != " "):
        word = list(group)
        latin = [(character.translate(CONFUSABLE), start, end) for character, start, end in word]
        has_foreign = any(c.isalpha() and not c.isascii() for c, _, _ in latin)
        result += word if has_foreign else latin
    return result


def _single_spaces(cells: list[Cell]) -> list[Cell]:
    kept = [
        cell
        for index, cell in enumerate(cells)
        if cell[0] != " " or (index > 0 and cells[index - 1][0] != " ")
    ]
    return kept[:-1] if kept and kept[-1][0] == " " else kept


def _deleeted(reading: PromptReading, *, one: str) -> PromptReading:
    """Digits and signs inside words become letters; `one` is what 1, ! and | stand for."""
    cells = list(reading.cells)
    table = LEET | str.maketrans({"1": one, "|": one})
    for token in TOKEN.finditer(reading.text):
        word = token.group()
        if sum(character.isalpha() for character in word) < 2:
            continue
        for index in range(token.start(), token.end()):
            character, start, end = cells[index]
            is_inner = index + 1 < token.end() and cells[index + 1][0].isalnum()
            if character == "!" and is_inner:
                cells[index] = (one, start, end)
            else:
                cells[index] = (character.translate(table), start, end)
    return PromptReading(tuple(cells))


def _replaced(
    reading: PromptReading, pattern: re.Pattern[str], keep: Callable[[str], int] | None
) -> PromptReading:
    """Shorten each match to its first `keep` characters, or to its letters where `keep` is None."""
    cells: list[Cell] = []
    position = 0
    for match in pattern.finditer(reading.text):
        found = reading.cells[match.start() : match.end()]
        cells += reading.cells[position : match.start()]
        cells += found[: keep(match.group())] if keep else [c for c in found if c[0].isalnum()]
        position = match.end()
    return PromptReading((*cells, *reading.cells[position:]))


def _runs(reading: PromptReading) -> Iterator[PromptReading]:
    for match in SPACED_RUN.finditer(reading.text):
        found = reading.cells[match.start() : match.end()]
        yield PromptReading(tuple(cell for cell in found if cell[0].isalnum()), is_run=True)
