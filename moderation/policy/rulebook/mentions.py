"""The places of a prompt where a concept is said, and which of them count.

What ``harmless`` lists (a compound, a title, a place) takes the words within it out, where it is
typed with single blanks or hyphens; but never a minor, a code or a person, and for a floor's rules
nothing where it takes any ending or may say it of the next word (*nude pink haired*). A minor is
taken out by ``harmless_minor`` alone (*baby blue*), where nothing bare or sexual is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import regex

HARMLESS, HARMLESS_MINOR, MINOR, PERSON = "harmless", "harmless_minor", "minor", "person"
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


def undoubted(found: Mapping[Mention, bool], languages: set[str]) -> list[Mention]:
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
    harmless = [each for each in said if each.concept == HARMLESS]
    heard: list[Mention] = []
    for each in said:
        is_subject = each.concept not in NEVER_HARMLESS
        within = [one for one in harmless if is_subject and _is_within(each, one)]
        if not within or each.concept in {HARMLESS, HARMLESS_MINOR}:
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


def _may_describe(text: str, bare: Mention, compound: Mention) -> bool:
    """Whether the bare word may be said of what follows the compound (*nude pink haired …*)."""
    is_first = bare.concept in _BARE and bare.start == compound.start
    return compound.is_held == "loosely" or is_first and not _NO_NOUN.match(text, compound.end)


def _is_within(place: Mention, compound: Mention) -> bool:
    return compound.start <= place.start and place.end <= compound.end
