"""Concepts as data: what is called what, in which language, and where a prompt says it.

A lexicon is a folder of TOML files, one a language; each names concepts and lists their entries,
parted by commas. An entry is a word or several. ``word*`` takes any ending, ``*word`` any
beginning, ``(a|b|)`` one of these or nothing, ``(=name)`` one of the list ``_name``, ``~`` up to
three words between, ``#`` a number from 1 to 17 (`ages`: in digits, Han numerals or the words of
its own language's ``number``), ``#.`` at the end one that nothing is counted by, alone a clause of
two digits, and ``?word`` counts only where the prompt says something else in that language (one of
the words of ``common``, or an entry without ``?``), for it means another thing in another; so does
a short word that is typed with other marks (`entries`). Scripts without blanks between words match
anywhere, others from border to border, Arabic and Hebrew also after what is written together with
the next word. Words of a floor count where two are typed as one.

What a harmless compound takes out is told in `mentions`.
"""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from itertools import islice, product
from pathlib import Path

import regex

from moderation.policy.rulebook import ages, prompt_syntax
from moderation.policy.rulebook.characters import is_wordlike
from moderation.policy.rulebook.lexicons.entries import Doubt, LexiconEntry, terms, with_marks
from moderation.policy.rulebook.lexicons.tries import TrieNode, insert
from moderation.policy.rulebook.mentions import (
    BARED,
    COMPOUNDS,
    HARMLESS,
    MINOR,
    NEVER_HARMLESS,
    SEXUAL,
    Mention,
    undoubted,
    unharmed,
)
from moderation.policy.rulebook.prompt_readings import (
    PromptReading,
    PromptReadings,
    canonical,
    readings,
)
from moderation.policy.rulebook.scripts import (
    is_border,
    is_unspaced,
    native,
    native_readings,
)

FOLDER = Path(__file__).parent / "lexicons"
COMMON, NUMBER = "common", "number"
LIST = "_"  # before the name of what is no concept, but a choice in entries
_FLOOR = NEVER_HARMLESS | SEXUAL
_LONG_WORD = regex.compile(r"(?<![^\W_])[^\W\d_]{7,40}(?![^\W_])")
_MASKED = regex.compile(r"(?<![^\W_])[^\W\d_]+(?:[*•●#%✱∗×]{1,3}[^\W\d_]+)+(?![^\W_])")
MASKED_MAX = 20  # words of a prompt that are looked up so
SHORTEST_JOINED = 3  # letters of a word that is typed as one with another
SHORTER_ALIKE, LONGER_ALIKE = 4, 6  # of two that are both about who, or about what
LONGEST_ENDING = 3  # letters after an entry that takes any ending, in a word that is two
_APART = regex.compile(r"[^\w\s'’·-]|_|\s\s|[\n\r]|\bBREAK\b", regex.VERSION1)
BETWEEN = 3  # words that `~` may stand for
SHORTEST_IN_RUN = 4  # letters; shorter words would be found in any run of letters
_PROCLITIC = regex.compile(r"(?=[\u0600-\u06ff])و?ف?[بكل]?(?:ال|لل)?|[והבלמשכ]{1,2}(?=[א-ת])")
_NOT_LATIN = regex.compile(r"[\p{L}--\p{Latin}]", regex.VERSION1)
_VARIANTS = (
    str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"}),
    str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"}),
)


def _are_joined(one: LexiconEntry, other: LexiconEntry) -> bool:
    """Whether two entries that are typed as one word are meant: who and what, or two long ones. One
    of them may be another language's word too, where the other is of the same."""
    doubts = one.is_doubtful + other.is_doubtful
    if doubts == 2 or doubts and one.language != other.language:
        return False
    shorter, longer = sorted((len(one.key), len(other.key)))
    if (one.concept in SEXUAL) != (other.concept in SEXUAL):
        return shorter >= SHORTEST_JOINED + (not one.key.isascii())
    return shorter >= SHORTER_ALIKE and longer >= LONGER_ALIKE


@dataclass(slots=True, eq=False)
class Lexicon:
    """All entries in tries: of Latin letters and of other scripts, each from a word's beginning and
    from anywhere."""

    sha256: str
    latin: TrieNode = field(default_factory=TrieNode)
    latin_anywhere: TrieNode = field(default_factory=TrieNode)
    native: TrieNode = field(default_factory=TrieNode)
    native_anywhere: TrieNode = field(default_factory=TrieNode)
    numbers: dict[str, TrieNode] = field(default_factory=dict)
    joined: dict[str, list[LexiconEntry]] = field(default_factory=dict)  # the floor's, no blanks
    lengths: dict[int, set[str]] = field(default_factory=dict)  # keys of those, by their letters
    alphabets: dict[str, set[str]] = field(default_factory=dict)  # letters with marks, by language

    def said(self, text: str) -> list[Mention]:
        """Where the prompt `text` names a concept, in order of place, without doubles."""
        return unharmed(text, _mentions(self, text))

    def without_harmless(self, text: str) -> str:
        """The text, blank where a harmless compound takes a word out (*a nude gown*): a classifier
        knows no compounds. Where a minor is said it hears all."""
        mentions = _mentions(self, text)
        concepts = {each.concept for each in mentions}
        if not concepts & COMPOUNDS or MINOR in concepts:
            return text
        heard = {(each.concept, each.start, each.end) for each in unharmed(text, mentions)}
        for each in mentions:
            if (each.concept, each.start, each.end) not in heard:
                text = text[: each.start] + " " * (each.end - each.start) + text[each.end :]
        return text

    def mentions(self, text: str) -> list[Mention]:
        """As `said`, with what harmless compounds take out."""
        found: dict[Mention, Doubt] = {}  # whether another language may have meant it
        witnesses: dict[str, set[str]] = {}
        languages: set[str] = set()
        for reading, is_native, is_whole in self._readings(text, readings(text)):
            for entry, start, end in self._matches(reading, is_native=is_native):
                read = reading.text[start:end]
                begin, end = reading.original(start, end)
                doubt = entry.doubt(text[begin:end], self.alphabets[entry.language])
                if doubt is None:
                    continue
                if doubt is Doubt.NONE:
                    languages.add(entry.language)
                elif doubt is Doubt.MARKED:
                    witnesses.setdefault(entry.language, set()).add(entry.key)
                mention = Mention(entry.concept, entry.language, begin, end, is_whole)
                if entry.concept in COMPOUNDS:
                    if not is_whole or _APART.search(text[begin:end]):
                        continue
                    if entry.is_open and not entry.is_all_but_plural(read):
                        mention = replace(mention, is_held="loosely")
                if entry.concept != COMMON and entry.exact in text[begin:end].casefold():
                    found[mention] = min(found.get(mention, doubt), doubt)
        languages |= {language for language, keys in witnesses.items() if len(keys) > 1}
        return undoubted(found, languages)

    def _readings(
        self, text: str, seen_as: PromptReadings
    ) -> Iterator[tuple[PromptReading, bool, bool]]:
        seen: dict[tuple[str, bool], PromptReading] = {}
        for reading in (*seen_as.plain, *seen_as.split):
            seen.setdefault((reading.text, reading.is_run), reading)
        for place, reading in enumerate(seen.values()):
            yield reading, False, place == 0
        for number, (said, origins) in enumerate(_texts(text)):
            for reading in native_readings(said):
                cells = tuple((c, origins[a], origins[b - 1] + 1) for c, a, b in reading.cells)
                yield PromptReading(cells, reading.is_run), True, number == 0

    def _matches(
        self, reading: PromptReading, *, is_native: bool
    ) -> Iterator[tuple[LexiconEntry, int, int]]:
        text = reading.text
        if not reading.is_run:
            yield from self._in_joined(text)
            yield from self._in_masked(text)
        root = self.native if is_native else self.latin
        anywhere = self.native_anywhere if is_native else self.latin_anywhere
        for start in range(len(text)):
            if not is_wordlike(text[start]):
                continue
            if reading.is_run:
                yield from self._in_run(root, text, start)
                continue
            if is_border(text, start):
                for begin in _beginnings(text, start):
                    yield from self._walked(root, text, start, begin)
            yield from self._walked(anywhere, text, start, start)

    def _in_joined(self, text: str) -> Iterator[tuple[LexiconEntry, int, int]]:
        """Words of the floor that are typed without the blank between them, or two of them."""
        for found in _LONG_WORD.finditer(text):
            word, start, end = found[0], found.start(), found.end()
            for entry in self.joined.get(word, ()):
                if not entry.is_doubtful:
                    yield entry, start, end
            for cut in range(SHORTEST_JOINED, len(word) - SHORTEST_JOINED + 1):
                halves = self._joining(word[:cut]), self._joining(word[cut:])
                for one, other in product(*halves):
                    if _are_joined(one, other):
                        yield one, start, start + cut
                        yield other, start + cut, end

    def _joining(self, half: str) -> list[LexiconEntry]:
        """Entries that are half of a word, or all of it but an ending that they take."""
        cuts = range(max(len(half) - LONGEST_ENDING, LONGER_ALIKE), len(half))
        opened = [e for n in cuts for e in self.joined.get(half[:n], ()) if e.is_open]
        return self.joined.get(half, []) + opened

    def _in_masked(self, text: str) -> Iterator[tuple[LexiconEntry, int, int]]:
        """Words of the floor with a sign in place of letters (*n*ked*)."""
        for found in islice(_MASKED.finditer(text), MASKED_MAX):
            word = found[0]
            seen = [(n, letter) for n, letter in enumerate(word) if letter.isalpha()]
            for key in self.lengths.get(len(word), ()) if 2 * len(seen) >= len(word) else ():
                if all(key[n] == letter for n, letter in seen):
                    for entry in self.joined[key]:
                        if not entry.is_doubtful:
                            yield entry, found.start(), found.end()

    def _in_run(
        self, node: TrieNode, text: str, start: int
    ) -> Iterator[tuple[LexiconEntry, int, int]]:
        """Letters that were spaced out: no borders, so that short entries have to be all of it."""
        for end in range(start, len(text)):
            following = node.next.get(text[end])
            if following is None:
                return
            node = following
            is_all = start == 0 and end == len(text) - 1
            for entry in node.entries:
                if is_all or entry.letters >= SHORTEST_IN_RUN and not entry.is_doubtful:
                    yield entry, start, end + 1

    def _walked(
        self, root: TrieNode, text: str, start: int, begin: int
    ) -> Iterator[tuple[LexiconEntry, int, int]]:
        """Every entry that begins at `begin`; each is told from `start`, where its word begins."""
        if not root.next and not root.numbers and not root.choices:
            return
        paths = [(root, begin, begin)]  # and where the last number began
        while paths:
            node, place, number = paths.pop()
            for entry in node.entries:
                if entry.is_alone and not ages.stands_alone(text, number, place):
                    continue
                if entry.key == "#" and not ages.is_clause(text, number, place):
                    continue
                if entry.is_open or is_border(text, place):
                    yield entry, start, _word_end(text, place) if entry.is_open else place
            if place >= len(text):
                continue
            is_beside = place == begin or ages.is_beside(text, place)
            for language, after in node.numbers.items() if is_beside else ():
                paths += [(after, end, place) for end in self._number_ends(text, place, language)]
            if "*" in node.next:
                paths += [(node.next["*"], _word_end(text, place), number)]
            for choice, after in node.choices.values() if is_beside else ():
                ends = [end for _, _, end in self._walked(choice, text, place, place)]
                paths += [(after, end, number) for end in ends]
            if "~" in node.next:
                paths += [(node.next["~"], end, number) for end in _after_words(text, place)]
            if is_wordlike(text[place]):
                if following := node.next.get(text[place]):
                    paths.append((following, place + 1, number))
            elif following := node.next.get(" "):
                end = (ages.after_number if node.is_number else _after_signs)(text, place)
                if end is not None:
                    paths.append((following, end, number))

    def _number_ends(self, text: str, place: int, language: str) -> Iterator[int]:
        end = ages.digits_end(text, place)
        if end is not None:
            yield end
            return
        yield from ages.han_ends(text, place)
        words = self.numbers.get(language)
        if words and is_border(text, place) and not ages.is_after_tens(text, place):
            yield from (end for _, _, end in self._walked(words, text, place, place))


@lru_cache(maxsize=16)
def _mentions(lexicon: Lexicon, text: str) -> list[Mention]:
    return lexicon.mentions(text)  # asked by the classifier and by the rules


def _texts(text: str) -> Iterator[tuple[str, Sequence[int]]]:
    """What the model reads, that without what is weakened, and what was typed; with the places."""
    read = prompt_syntax.read(text)
    yield read.text, read.origins
    if min(read.weights, default=1.0) < 1:
        strong = [n for n, weight in enumerate(read.weights) if weight >= 1]
        yield "".join(read.text[n] for n in strong), [read.origins[n] for n in strong]
    if read.text != text:
        yield text, range(len(text))


@cache
def load(version: str) -> Lexicon:
    """Read once in a process. Raises FileNotFoundError where there is no such lexicon."""
    paths = sorted((FOLDER / version).glob("*.toml"))
    if not paths:
        raise FileNotFoundError(version)
    whole = hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()
    lexicon = Lexicon(whole)
    for path in paths:
        lists = tomllib.loads(path.read_text(encoding="utf-8"))
        for concept, listed in lists.items():
            if concept.startswith(LIST):
                continue
            for term in terms(listed, lists):
                _add(lexicon, concept, path.stem, term)
    return lexicon


def concepts(version: str) -> frozenset[str]:
    """Every concept that some language of the lexicon names, and what a negative prompt does."""
    paths = list((FOLDER / version).glob("*.toml"))
    names = {name for path in paths for name in tomllib.loads(path.read_text(encoding="utf-8"))}
    return frozenset(
        {name for name in names if not name.startswith(LIST)} | ({BARED} if paths else set())
    )


def _add(lexicon: Lexicon, concept: str, language: str, term: str) -> None:
    is_doubtful, term = term.startswith("?"), term.removeprefix("?")
    is_anywhere, term = term.startswith("*"), term.removeprefix("*")
    is_open, term = term.endswith("*"), term.removesuffix("*")
    is_alone, term = term.endswith("#."), term.removesuffix(".")
    for spelt in dict.fromkeys([term, *(term.casefold().translate(v) for v in _VARIANTS)]):
        is_latin = not _NOT_LATIN.search(spelt)
        key = canonical(spelt).text if is_latin else native(spelt)
        letters = [c for c in key if is_wordlike(c)]
        free = bool(letters) and is_unspaced(letters[0])
        entry = LexiconEntry(
            concept,
            language,
            is_open or bool(letters) and is_unspaced(letters[-1]),
            is_doubtful,
            len(letters),
            is_alone,
            term.casefold() if is_latin and concept == HARMLESS and not term.isascii() else "",
            key,
            with_marks(spelt, len(letters)) if is_latin else (),
        )
        lexicon.alphabets.setdefault(language, set()).update(entry.marked)
        bare = key.replace(" ", "")
        if concept in _FLOOR and bare.isalpha() and not free:
            lexicon.joined.setdefault(bare, []).append(entry)
            lexicon.lengths.setdefault(len(bare), set()).add(bare)
        for root in _roots(lexicon, entry, is_latin=is_latin, is_anywhere=is_anywhere or free):
            insert(root, key, entry)


def _roots(
    lexicon: Lexicon, entry: LexiconEntry, *, is_latin: bool, is_anywhere: bool
) -> Iterable[TrieNode]:
    if entry.concept == NUMBER:
        return [lexicon.numbers.setdefault(entry.language, TrieNode())]
    if is_latin:
        return [lexicon.latin_anywhere if is_anywhere else lexicon.latin]
    return [lexicon.native_anywhere if is_anywhere else lexicon.native]


def _beginnings(text: str, start: int) -> list[int]:
    """Of a word: its first letter, and the letter after what Arabic and Hebrew write before it."""
    if text[start] < "א" or text[start] > "ۿ":
        return [start]
    found = _PROCLITIC.match(text, start)
    ends = range(start, found.end() + 1) if found else [start]
    return [*ends]


def _after_signs(text: str, place: int) -> int:
    while place < len(text) and not is_wordlike(text[place]):
        place += 1
    return place


def _after_words(text: str, place: int) -> Iterator[int]:
    """Where each of the next words begins, the first included, within one clause."""
    for _ in range(BETWEEN + 1):
        place = _after_signs(text, place)
        yield place
        place = _word_end(text, place)


def _word_end(text: str, place: int) -> int:
    while place < len(text) and is_wordlike(text[place]) and not is_unspaced(text[place]):
        place += 1
    return place
