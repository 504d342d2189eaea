"""One entry of a lexicon: what its signs mean, and whether a typed word is that entry. Pure.

Readings drop marks, so a word of one language is read where another's ordinary word stands (Polish
*górę*, English *gore*). A short word whose marks are not those of the entry counts only where the
prompt says something else in the entry's language; in one where marks tell words apart, other
marks are another word. The same letters without marks are how people type in a hurry.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from itertools import product
from unicodedata import normalize

import regex

SURE_LETTERS = 7  # no ordinary word of another language is as long and the same by chance
WITNESS_LETTERS = 5  # two such words of one language, marks aside, are said in that language
ALPHABET_MIN = 3  # of fewer letters with marks, all are somebody's disguise
MARKS_PART_WORDS = frozenset({"vi"})
_NAMED = regex.compile(r"\(=(\w+)\)")
_OPTIONAL = regex.compile(r"\(([^()]*)\|\)")
_INNER_STAR = regex.compile(r"\*(?=[^ |)])")


class Doubt(IntEnum):
    """Whether a typed word is the entry."""

    NONE = 0
    MARKED = 1  # long enough that two of one language speak for each other
    OTHER = 2


class EntryInvalid(ValueError):
    """An entry whose signs mean nothing."""


@dataclass(frozen=True, slots=True)
class LexiconEntry:
    """One entry of a concept. `is_open`: any ending may follow."""

    concept: str
    language: str
    is_open: bool
    is_doubtful: bool
    letters: int
    is_alone: bool = False  # the number that it ends with has to be
    exact: str = ""  # how it has to be typed, marks and all; empty where that is all one
    key: str = ""  # as readings spell it
    marked: tuple[str, ...] = ()  # its letters with marks

    def is_all_but_plural(self, text: str) -> bool:
        """Whether nothing but the sign of a plural follows its own letters."""
        typed = text.replace("-", " ").removesuffix("s").removesuffix("e")
        return typed == self.key.removesuffix("e")

    def doubt(self, typed: str, alphabet: Set[str]) -> Doubt | None:
        """Of what was typed where it was read; None where that is another word. `alphabet`: the
        letters with marks that the entry's language has."""
        if not typed.isascii() or self.marked:
            marked = with_marks(typed, self.letters)
            if marked != self.marked:
                if self.language in MARKS_PART_WORDS and marked:
                    return None
                if self.letters < SURE_LETTERS:
                    if len(alphabet) >= ALPHABET_MIN and not alphabet >= set(marked):
                        return None
                    is_witness = self.letters >= WITNESS_LETTERS and not self.is_doubtful
                    return Doubt.MARKED if is_witness else Doubt.OTHER
        return Doubt.OTHER if self.is_doubtful else Doubt.NONE


def terms(listed: str, lists: Mapping[str, str]) -> Iterator[str]:
    """The entries of a list parted by commas, `(=name)` written out, each choice that may be left
    out left out too: `a (b|c|) d` is *a (b|c) d* and *a d*.

    Raises EntryInvalid for a `*` within a word, which would match nothing."""
    whole = _NAMED.sub(lambda found: _choice(lists[f"_{found[1]}"]), listed.replace("\n", " "))
    for term in whole.split(","):
        parts = _OPTIONAL.split(term.strip())
        choices = [[f"({part})", ""] if n % 2 else [part] for n, part in enumerate(parts)]
        for way in product(*choices):
            spelt = " ".join("".join(way).split())
            if _INNER_STAR.search(spelt, 1):
                raise EntryInvalid(term)
            if spelt:
                yield spelt


def _choice(listed: str) -> str:
    return f"({'|'.join(each.strip() for each in listed.split(','))})"


@lru_cache(maxsize=4096)
def with_marks(text: str, letters: int) -> tuple[str, ...]:
    """Those of the first `letters` letters of a text that are Latin ones with marks."""
    said = [c for c in normalize("NFC", text.casefold()) if c.isalpha()][:letters]
    return tuple(c for c in said if (parts := normalize("NFD", c)) != c and parts[0].isascii())
