"""Rules over the readings of a prompt: words, words that need company, and contexts that excuse
them.

A term is one or more words; a final ``*`` stands for any ending, a leading ``=`` names a list of
terms.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.policy.rulebook.prompt_readings import PromptReading, PromptReadings, canonical

SHORTEST_RUN_TERM = (
    4  # inside spaced-out letters word borders are lost, so short words would hit anywhere
)
Found = tuple[PromptReading, re.Match[str]]


@dataclass(frozen=True, slots=True)
class RuleMatch:
    """`start`, `end`: characters of the prompt as typed."""

    start: int
    end: int
    rule: str
    category: str
    score: float


@dataclass(frozen=True, slots=True)
class WordRule:
    """One rule of a policy; see policies/schema.json for what each part means."""

    id: str
    category: str
    score: float
    terms: re.Pattern[str]
    run_terms: re.Pattern[str]
    company: tuple[re.Pattern[str], re.Pattern[str]] | None
    learned_categories: tuple[str, ...]
    learned_at_least: float
    excuses: re.Pattern[str] | None

    @classmethod
    def parse(cls, body: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> "WordRule":
        """Compile a rule that the schema has checked. KeyError names a list that is not defined."""
        terms = _expanded(body["terms"], lists)
        company = _expanded(body.get("with", ()), lists)
        excuses = _expanded(body.get("unless", ()), lists)
        learned = body.get("with_learned", {"categories": (), "at_least": 0.0})
        return cls(
            id=body["id"],
            category=body["category"],
            score=body["score"],
            terms=_words(terms),
            run_terms=_anywhere(terms),
            company=(_words(company), _anywhere(company)) if company else None,
            learned_categories=tuple(learned["categories"]),
            learned_at_least=learned["at_least"],
            excuses=_words(excuses) if excuses else None,
        )

    def matches(self, prompt: PromptReadings, learned: Mapping[str, float]) -> Iterator[RuleMatch]:
        """All places where the rule speaks; none where an excuse or lack of company silences it.
        What CLIP alone reads as words may add places, and takes none away."""
        if not self._has_learned(learned):
            return
        yield from self._spoken(prompt, prompt.plain, prompt.plain[:1])
        if prompt.split:
            wholes = [prompt.plain[0], prompt.split[0]]
            yield from self._spoken(prompt, [*prompt.plain, *prompt.split], wholes)

    def _spoken(
        self, prompt: PromptReadings, among: list[PromptReading], wholes: list[PromptReading]
    ) -> Iterator[RuleMatch]:
        terms = _found(among, self.terms, self.run_terms)
        company = _found(among, *self.company) if terms and self.company else terms
        if company and not self._is_excused(prompt, wholes, terms + company):
            for reading, found in terms:
                start, end = reading.original(*found.span())
                yield RuleMatch(start, end, self.id, self.category, self.score)

    def _has_learned(self, learned: Mapping[str, float]) -> bool:
        return not self.learned_categories or any(
            learned.get(name, 0.0) >= self.learned_at_least for name in self.learned_categories
        )

    def _is_excused(
        self, prompt: PromptReadings, wholes: list[PromptReading], said: list[Found]
    ) -> bool:
        """By words that stand together in what a model reads, none of them weakened, nor weaker
        than what they are to excuse."""
        if self.excuses is None:
            return False
        heaviest = max((w for each in said for w in prompt.weights_of(*each)), default=1.0)
        return any(
            min(prompt.weights_of(whole, found)) >= max(1.0, heaviest)
            for whole in wholes
            for found in self.excuses.finditer(whole.text)
        )


def match(
    rules: Sequence[WordRule], readings: PromptReadings, learned: Mapping[str, float]
) -> list[RuleMatch]:
    """Every match of every rule, without doubles, in order of place."""
    found = {hit for rule in rules for hit in rule.matches(readings, learned)}
    return sorted(found, key=lambda hit: (hit.start, hit.end, hit.rule))


def _found(
    among: Sequence[PromptReading], words: re.Pattern[str], anywhere: re.Pattern[str]
) -> list[Found]:
    return [
        (reading, found)
        for reading in among
        for found in (anywhere if reading.is_run else words).finditer(reading.text)
    ]


def _expanded(terms: Sequence[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Terms with lists put in their place, spelt as the canonical reading spells every text."""
    words = (
        word for term in terms for word in (lists[term[1:]] if term.startswith("=") else [term])
    )
    return [canonical(word).text for word in words]


def _words(terms: Sequence[str]) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)(?:{'|'.join(_source(term) for term in terms)})(?!\w)")


def _anywhere(terms: Sequence[str]) -> re.Pattern[str]:
    """Terms without word borders; a pattern that never matches where all are too short."""
    long = [
        re.escape(bare)
        for term in terms
        if len(bare := re.sub(r"\W", "", term)) >= SHORTEST_RUN_TERM
    ]
    short = [rf"^{re.escape(bare)}$" for term in terms if (bare := re.sub(r"\W", "", term))]
    return re.compile("|".join([*long, *short]) or r"(?!)")


def _source(term: str) -> str:
    words = re.escape(term.removesuffix("*")).replace(r"\ ", r"\W+")
    return words + r"\w*" if term.endswith("*") else words
