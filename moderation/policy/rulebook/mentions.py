"""The places of a prompt where a concept is said, and which of them count.

What ``harmless`` lists (a compound, a title, a place) takes the words within it out, where it is
typed with single blanks or hyphens; but never a minor, a code or a person, and for a floor's rules
nothing where it takes any ending or may say it of the next word (*nude pink haired*). What
``bare_limb`` lists (*barefoot*) says nothing of the next word. A minor is taken out by
``thing_aged`` (*a 17 year old scotch*), and by ``harmless_minor`` (*baby blue*) where nothing bare
or sexual is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import regex

from moderation.policy.rulebook.lexicons.entries import Doubt

HARMLESS, HARMLESS_MINOR, MINOR, PERSON = "harmless", "harmless_minor", "minor", "person"
CLOTHING, BARED = "clothing", "bared"  # what a negative prompt may take away, and that it does
BARE_LIMB, THING_AGED = "bare_limb", "thing_aged"
COMPOUNDS = frozenset({HARMLESS, HARMLESS_MINOR, BARE_LIMB, THING_AGED})
NEVER_HARMLESS = frozenset({MINOR, "coded", PERSON})
_BARE = frozenset({"nudity", "genitals", "undress"})
_NO_NOUN = regex.compile(
    r"\s*(?:\Z|[^\w\s]|(?:and|are|at|by|for|from|has|in|is|near|of|on|or|over|to|under|with)\b)"
)
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
    compounds = [each for each in said if each.concept in COMPOUNDS - {HARMLESS_MINOR}]
    heard: list[Mention] = []
    for each in said:
        within = [one for one in compounds if _takes_out(one, each)]
        if not within or each.concept in COMPOUNDS:
            heard.append(replace(each, is_held=""))
        elif all(_may_describe(text, each, one) for one in within):
            is_loose = all(one.is_held == "loosely" for one in within)
            heard.append(replace(each, is_held="loosely" if is_loose else "closely"))
    if any(each.concept in SEXUAL and not each.is_held for each in heard):
        return heard
    of_minors = [each for each in said if each.concept == HARMLESS_MINOR]
    return [
        each
        for each in heard
        if each.concept != MINOR or not any(_is_within(each, one) for one in of_minors)
    ]


def _takes_out(compound: Mention, each: Mention) -> bool:
    if each.concept in NEVER_HARMLESS and (each.concept, compound.concept) != (MINOR, THING_AGED):
        return False
    return _is_within(each, compound)


def _may_describe(text: str, bare: Mention, compound: Mention) -> bool:
    """Whether the bare word may be said of what follows the compound (*nude pink haired …*)."""
    if compound.concept == BARE_LIMB:
        return False
    is_first = bare.concept in _BARE | {MINOR} and bare.start == compound.start
    return compound.is_held == "loosely" or is_first and not _NO_NOUN.match(text, compound.end)


def _is_within(place: Mention, compound: Mention) -> bool:
    return compound.start <= place.start and place.end <= compound.end
