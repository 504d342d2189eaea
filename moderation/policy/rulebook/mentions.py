"""The places of a prompt where a concept is said, and which of them count.

What ``harmless`` lists (a compound, a title, a place) takes the words within it out, where it is
typed with single blanks or hyphens; but never a minor, a code or a person, and for a floor's rules
nothing where it takes any ending, may say it of the next word (*nude pink haired*), or of a minor
who is said besides: then a person looks. What ``bare_limb`` lists (*barefoot*, *same-sex parents*)
says nothing of anybody, nor does ``gendered`` (*of either sex*) where nothing is done. A minor is
taken out by ``thing_aged`` (*a 17 year old scotch*) and by ``harmless_minor`` (*baby blue*) where
nothing bare or sexual is said, in a compound or not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import regex

from moderation.policy.rulebook.lexicons.entries import Doubt

HARMLESS, HARMLESS_MINOR, MINOR, PERSON = "harmless", "harmless_minor", "minor", "person"
CLOTHING, BARED = "clothing", "bared"  # what a negative prompt may take away, and that it does
BARE_LIMB, BARE_SKIN = "bare_limb", "bare_skin"
GENDERED, THING_AGED = "gendered", "thing_aged"
_OF_WORDS = frozenset({HARMLESS, BARE_LIMB, BARE_SKIN, GENDERED})
COMPOUNDS = _OF_WORDS | {HARMLESS_MINOR, THING_AGED}
NEVER_HARMLESS = frozenset({MINOR, "coded", PERSON})
_BARE = frozenset({"nudity", "genitals", "undress"})
_NO_NOUN = regex.compile(
    r"\s*(?:\Z|[^\w\s]|(?:and|are|at|by|for|from|has|in|is|near|of|on|or|over|to|under|with)\b)"
)
_NOTHING_DONE = regex.compile(r"\s*(?:\Z|[^\w\s]|(?:and|are|at|for|has|in a|is|or|to)\b)")
_OF_ACTS = frozenset({"sexual", "suggestive", "rape"})
SEXUAL = frozenset({"sexual", "nudity", "genitals", "undress", "rape"})


@dataclass(frozen=True, slots=True)
class Mention:
    """A place of the prompt as typed where a concept is said. `is_whole`: in the text as a model
    reads it, by which alone a context may soften anything."""

    concept: str
    language: str
    start: int
    end: int
    is_whole: bool = True
    is_held: Literal["", "closely", "loosely"] = ""


def undoubted(found: Mapping[Mention, Doubt], languages: set[str]) -> list[Mention]:
    """Without what another language may have meant, and what lies within its like."""
    said = [each for each, doubt in found.items() if not doubt or each.language in languages]
    longest: list[Mention] = []
    ends: dict[tuple[str, bool], int] = {}  # of what began before
    for each in sorted(said, key=lambda each: (each.start, -each.end)):
        kind = (each.concept, each.is_whole)
        if each.end > ends.get(kind, -1):
            ends[kind] = each.end
            longest.append(each)
    return longest


def unharmed(text: str, said: Sequence[Mention]) -> list[Mention]:
    """Without what a harmless compound holds, or marked where a floor still hears it."""
    minors = _minors(said)
    heard: list[Mention] = []
    for each in said:
        within = [one for one in said if one.concept in _OF_WORDS and _is_within(each, one)]
        if each.concept == MINOR:
            heard += [each] if each in minors else []
        elif not within or each.concept in COMPOUNDS | NEVER_HARMLESS:
            heard.append(replace(each, is_held=""))
        elif all(_may_describe(text, each, one, minors) for one in within):
            is_loose = all(one.is_held == "loosely" for one in within)
            heard.append(replace(each, is_held="loosely" if is_loose else "closely"))
    return heard


def _minors(said: Sequence[Mention]) -> list[Mention]:
    """Whoever is none by a compound is one nevertheless where anything bare or sexual is said, be
    it in a compound itself."""
    limbs = [each for each in said if each.concept == BARE_LIMB]
    sexual = [each for each in said if each.concept in SEXUAL]
    is_sexual = any(not any(_is_within(each, one) for one in limbs) for each in sexual)
    taking = set() if is_sexual else {HARMLESS_MINOR, THING_AGED}
    compounds = [each for each in said if each.concept in taking]
    minors = [each for each in said if each.concept == MINOR]
    return [each for each in minors if not any(_is_within(each, one) for one in compounds)]


def _may_describe(text: str, word: Mention, compound: Mention, minors: Sequence[Mention]) -> bool:
    """Whether the word may be said of what follows the compound (*nude pink haired …*), or of a
    minor: a sexual one and bare skin wherever they are said, another bare one where they follow
    (*shades of nude, a girl*)."""
    if compound.concept == BARE_LIMB:
        return False
    if compound.is_held == "loosely":
        return True
    if compound.concept == GENDERED:
        return bool(minors) and not _NOTHING_DONE.match(text, compound.end)
    if compound.concept == BARE_SKIN:
        return bool(minors)
    if word.concept in _BARE:
        is_first = word.start == compound.start and not _NO_NOUN.match(text, compound.end)
        return is_first or any(each.end > compound.end for each in minors)
    return bool(minors) and word.concept in _OF_ACTS


def _is_within(place: Mention, compound: Mention) -> bool:
    return compound.start <= place.start and place.end <= compound.end
