"""Rules over what a prompt says, in whichever language: a concept, or several near each other, and
contexts that soften them. Pure.

A context is local. It softens a match that it governs: in the same clause, or leading it in the
one before, at most a few words away, and no weaker than it. A form (an anatomical plate) may follow
in the next clause too. Softened is held, never allowed, outside of a profile that says so; a rule
of a floor names neither.
"""

import re
from bisect import bisect_left
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from moderation.policy.rulebook.mentions import Mention
from moderation.policy.rulebook.prompt_readings import PromptReadings
from moderation.policy.rulebook.scripts import is_unspaced

Span = tuple[int, int]
Reach = Literal["clause", "before", "beside"]
SOFTENED = 0.65  # held for a general audience, allowed where a profile's thresholds lie higher
IN_COMPOUND = 0.6  # at most, what a floor hears within a harmless compound: a person looks
GOVERNING_WORDS = 4
GOVERNING_CHARACTERS = 100
NEIGHBOURS = 2  # on each side, of contexts and company: what stands further off is further off
_CLAUSE_END = re.compile(r"[,;:.!?|\n，、。；：！？،؛।]|BREAK")


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """`start`, `end`: characters of the prompt as typed."""

    start: int
    end: int
    rule: str
    category: str
    score: float


@dataclass(frozen=True, slots=True)
class Prompt:
    """What rules are asked about: the text as typed, its readings, and the concepts it says."""

    text: str
    readings: PromptReadings
    said: Mapping[str, Sequence[Mention]]

    def is_governed(self, harm: Span, contexts: Sequence[Span], *, reach: Reach = "clause") -> bool:
        """Whether one of the nearest of `contexts`, which are sorted, governs what stands there."""
        return any(self.governs(each, harm, reach=reach) for each in _nearest(contexts, harm))

    def governs(self, context: Span, harm: Span, *, reach: Reach = "clause") -> bool:
        """Whether a context at one place of the text is about what stands at the other: in the same
        clause, or as far as its `reach`, in the one before or in either one beside it."""
        if context[0] < harm[1] and harm[0] < context[1]:
            return True
        if _gap(context, harm) > GOVERNING_CHARACTERS:
            return False
        between = self.text[min(context[1], harm[1]) : max(context[0], harm[0])]
        is_far = reach == "beside" or (reach == "before" and context[1] <= harm[0])
        ends = len(_CLAUSE_END.findall(between))
        if ends > is_far or _words(between) > GOVERNING_WORDS + 2 * is_far:
            return False
        return min(self._weights(context)) >= max(1.0, *self._weights(harm))

    def _weights(self, span: Span) -> list[float]:
        weights = self.readings.weights
        return [weights[place] for place in range(*span) if place in weights] or [1.0]


@dataclass(frozen=True, slots=True)
class ConceptRule:
    """One rule of a policy; see documents/schema.json for what each part means."""

    id: str
    category: str
    score: float
    concepts: tuple[frozenset[str], ...]
    within: int
    beyond: float
    context: frozenset[str]
    form: frozenset[str]
    silent: frozenset[str]
    is_floor: bool = False

    @classmethod
    def parse(cls, body: Mapping[str, Any], *, is_floor: bool = False) -> "ConceptRule":
        """Of a rule that the schema has checked."""
        return cls(
            id=body["id"],
            category=body["category"],
            score=body["score"],
            concepts=tuple(frozenset(each) for each in body["concepts"]),
            within=body.get("within", 0),
            beyond=body.get("beyond", 0.0),
            context=frozenset(body.get("context", ())),
            form=frozenset(body.get("form", ())),
            silent=frozenset(body.get("silent", ())),
            is_floor=is_floor,
        )

    def matches(self, prompt: Prompt) -> Iterator[RuleMatch]:
        """Every place where it speaks, with the score that it has there. A floor hears through
        harmless compounds: those that take any ending in full, others weakly."""
        if not self.is_floor:
            yield from self._heard(prompt, {""})
            return
        yield from self._heard(prompt, {"", "loosely"})
        for hit in self._heard(prompt, {"", "loosely", "closely"}):
            yield replace(hit, score=min(hit.score, IN_COMPOUND))

    def _heard(self, prompt: Prompt, through: set[str]) -> Iterator[RuleMatch]:
        groups = [self._places(prompt, names, through=through) for names in self.concepts]
        if not all(groups):
            return
        contexts: list[tuple[list[Span], Reach]] = [
            (self._places(prompt, self.context, whole=True), "before"),
            (self._places(prompt, self.form, whole=True), "beside"),
        ]
        silent = self._places(prompt, self.silent, whole=True)
        for place, is_near in _together(groups, self.within):
            score = self.score if is_near else self.beyond
            if prompt.is_governed(place, silent):
                continue
            if any(prompt.is_governed(place, each, reach=reach) for each, reach in contexts):
                score = min(score, SOFTENED)
            if score > 0:
                yield RuleMatch(*place, self.id, self.category, score)

    def _places(
        self,
        prompt: Prompt,
        names: frozenset[str],
        *,
        whole: bool = False,
        through: Container[str] = ("",),
    ) -> list[Span]:
        """Sorted; `whole`: in the text as a model reads it."""
        said = (e for name in names for e in prompt.said.get(name, ()) if e.is_held in through)
        return sorted({(each.start, each.end) for each in said if each.is_whole or not whole})


def _together(groups: list[list[Span]], within: int) -> Iterator[tuple[Span, bool]]:
    """The places of the last group, and of every other, and whether one of each other group is
    near; a place is no company for itself."""
    for index, group in enumerate(groups):
        others = groups[:index] + groups[index + 1 :]
        for place in group:
            gaps = [min(_gap(place, each) for each in _nearest(o, place)) for o in others]
            yield place, not within or all(gap <= within for gap in gaps)


def _nearest(places: Sequence[Span], place: Span) -> Sequence[Span]:
    """Of sorted places those around one."""
    at = bisect_left(places, place)
    return places[max(at - NEIGHBOURS, 0) : at + NEIGHBOURS]


def _gap(one: Span, other: Span) -> int:
    return max(one[0] - other[1], other[0] - one[1], 0)


def _words(text: str) -> int:
    """Words of a text; of a script without blanks, two characters are one."""
    unspaced = sum(is_unspaced(character) for character in text)
    return len(re.findall(r"\w+", "".join(c for c in text if not is_unspaced(c)))) + unspaced // 2
