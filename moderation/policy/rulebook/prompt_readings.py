"""Readings of a prompt: what a person sees in it, whatever characters it was typed with.

A reading keeps, for each of its characters, which characters of the original it stands for, so that
a match can be shown in the text as typed. Sources: Unicode UAX #15 (NFKC), UTS #39 (confusables;
the table below is the part of it that imitates Latin letters in Cyrillic, Greek and Armenian).
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import regex

from moderation.policy.rulebook import prompt_syntax
from moderation.policy.rulebook.characters import is_unread
from moderation.policy.rulebook.lexicons import encodings

Cell = tuple[
    str, int, int
]  # one character, and the [start, end) of the original that it stands for

CONFUSABLE = str.maketrans(
    "абвгеёзийклмнорстухчьѕіјһԁԛԝүӏҝґԍаαβγεζηικνορτυχωϲϳօոսցհքզꓲɑɡıƖʟɪʀꜱᴀᴇᴏᴜ",
    "a6bree3uuklmhopctyx4bsijhdqwylkrgaabyeznikvoptuxwcjonughqqiagillirsaeou",
)
CONFUSABLE |= str.maketrans("ʙᴄᴅꜰɢʜᴊᴋᴍɴᴘǫᴛᴠᴡʏᴢ", "bcdfghjkmnpqtvwyz")  # small capitals
CONFUSABLE |= {  # white letters on black circles and squares, which NFKC leaves
    first + place: ord("a") + place for first in (0x1F150, 0x1F170) for place in range(26)
}
LEET = str.maketrans("013457@$|", "oieastasi")
_LATIN = "a-zßæðøþđħıłœŋ"  # what folding leaves of Latin letters
SPACED_RUN = re.compile(
    rf"(?<![{_LATIN}0-9])(?:[{_LATIN}][^{_LATIN}0-9]{{1,3}}){{2,}}[{_LATIN}](?![{_LATIN}0-9])"
)
TOKEN = re.compile(r"\S+")
CLIP_WORD = regex.compile(r"'(?:s|t|re|ve|m|ll|d)|\p{L}+|\p{N}+", regex.IGNORECASE)
CAPITAL_I = re.compile(r"(?<=[a-z])I(?![A-Z])")  # looks like an l
_TOKEN_LIKE = re.compile(r"[a-z]{1,4}|\S")  # about as many as a learned classifier reads
EXPANDED_MAX = 8  # letters of one sign; more are a blank (ﷺ is eighteen, in every reading)
TOKENS_MAX = 5_000  # of all texts that it is asked about one prompt
REPEATED = re.compile(rf"([{_LATIN}])\1{{2,}}")
SIGNS = regex.compile(r"(?:[^\w\s]|_)(?:\s*(?:[^\w\s]|_)){3,}")
INNER_PUNCTUATION = re.compile(rf"(?<=[{_LATIN}])[^\s{_LATIN}0-9](?=[{_LATIN}])")


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


@dataclass(frozen=True, slots=True)
class PromptReadings:
    """All distinct readings of a prompt. `plain` and `split` each begin with what a model reads,
    whole, by which alone a context may excuse. `split` is empty where CLIP parts no words that a
    blank or a sign does not. `weights` are those of characters of the prompt as typed: none of a
    bracket, 0 of a BREAK."""

    plain: list[PromptReading]
    split: list[PromptReading]
    weights: Mapping[int, float]

    def weights_of(self, reading: PromptReading, found: re.Match[str]) -> list[float]:
        """Of every character from the first to the last that a match in the reading stands for."""
        places = range(*reading.original(*found.span()))
        return [self.weights[place] for place in places if place in self.weights]


def for_classifier(text: str) -> list[str]:
    """What a learned classifier is asked about a prompt: all of it, and each part that a model
    reads by itself, both without what is weakened too; leetspeak and the like undone. Where four
    signs or more stand in a row it is asked without them too: each is a word to it, and many thin
    out what is said or push it out of sight. The first is asked whole, of the others as much as
    fits into `TOKENS_MAX` together."""
    found = prompt_syntax.read(text)
    asked = []
    for part, weights in [(found.text, found.weights), *found.parts[: prompt_syntax.PARTS_MAX]]:
        asked += [_strong(part, weights, instead=" "), part]
    asked += [hidden for hidden, _ in encodings.hidden(text)]
    plain = [decoded(canonical(part)).text for part in dict.fromkeys(asked)]
    first, *others = dict.fromkeys(text for read in plain for text in (read, SIGNS.sub(" ", read)))
    left, kept = TOKENS_MAX - _tokens(first), [first]
    for other in others:
        if (needed := _tokens(other)) <= left:
            left -= needed
            kept.append(other)
    return kept


def _tokens(text: str) -> int:
    return len(_TOKEN_LIKE.findall(text))


def readings(text: str) -> PromptReadings:
    """As it is typed, without the brackets and the like by which a prompt is weighed
    (`prompt_syntax`), and without what these weaken."""
    found = prompt_syntax.read(text)
    kept = [
        place for place, weight in zip(found.origins, found.weights, strict=True) if weight >= 1
    ]
    strong = _strong(found.text, found.weights), tuple(kept)
    spaced = _strong(found.text, found.weights, instead=" "), found.origins
    plain: list[PromptReading] = []
    split: list[PromptReading] = []
    for said, origins in dict.fromkeys([(found.text, found.origins), strong, spaced]):
        plain += [_placed(reading, origins) for reading in _readings(said)]
        parted = [_split(said), *(_readings(said.replace("_", " ")) if "_" in said else ())]
        split += [_placed(reading, origins) for reading in parted]
    if found.text != text:
        plain += _readings(text)
    for hidden, places in encodings.hidden(text):
        plain += [_placed(reading, places) for reading in _readings(hidden)]
    weights = dict(zip(found.origins, found.weights, strict=True))
    weights |= {found.origins[cut - 1]: 0.0 for cut in found.cuts}
    has_borders = not {reading.text for reading in split} <= {reading.text for reading in plain}
    return PromptReadings(plain, split if has_borders else [], weights)


def _strong(text: str, weights: Sequence[float], *, instead: str = "") -> str:
    heard = zip(text, weights, strict=True)
    return "".join(letter if weight >= 1 else instead for letter, weight in heard)


def _split(text: str) -> PromptReading:
    """Canonical, with a blank wherever CLIP's tokenizer parts letters from digits, `_` and what
    cannot be seen."""
    words = {
        place: number
        for number, found in enumerate(CLIP_WORD.finditer(text))
        for place in range(*found.span())
    }
    cells: list[Cell] = []
    for letter, start, end in canonical(text).cells:
        is_inside = cells and cells[-1][0].isalnum() and letter.isalnum()
        if is_inside and words.get(start) != words.get(cells[-1][1]):
            cells.append((" ", start, end))
        cells.append((" " if letter == "_" else letter, start, end))
    return PromptReading(tuple(_single_spaces(cells)))


def _placed(reading: PromptReading, origins: Sequence[int]) -> PromptReading:
    """A reading of a text without syntax, its places those of the text as it was typed."""
    cells = tuple((c, origins[start], origins[end - 1] + 1) for c, start, end in reading.cells)
    return PromptReading(cells, reading.is_run)


def _readings(text: str) -> list[PromptReading]:
    plain = canonical(text)
    leet = _deleeted(plain, one="i")
    wholes = [plain, leet, _deleeted(plain, one="l")]
    wholes += [_replaced(reading, INNER_PUNCTUATION, lambda _: 0) for reading in (plain, leet)]
    wholes += [canonical(CAPITAL_I.sub("l", text))]
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
    parts = unicodedata.normalize("NFKD", character)
    if len(parts) > EXPANDED_MAX:
        parts = " "
    kept = "".join(part for part in parts if part.isspace() or not is_unread(part))
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
