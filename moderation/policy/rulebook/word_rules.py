"""Rules over the readings of a prompt: words, words that need company, and contexts that excuse
them.

A term is one or more words; a final ``*`` stands for any ending, a leading ``=`` names a list of
terms.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.policy.rulebook.prompt_readings import PromptReading, canonical

SHORTEST_RUN_TERM = (
    4  # inside spaced-out letters word borders are lost, so short words would hit anywhere
)


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

    def matches(
        self, readings: Sequence[PromptReading], learned: Mapping[str, float]
    ) -> Iterator[RuleMatch]:
        """All places where the rule speaks; none where an excuse or lack of company silences it."""
        if not (self._has_company(readings) and self._has_learned(learned)) or self._is_excused(
            readings
        ):
            return
        for reading in readings:
            pattern = self.run_terms if reading.is_run else self.terms
            for found in pattern.finditer(reading.text):
                start, end = reading.original(*found.span())
                yield RuleMatch(start, end, self.id, self.category, self.score)

    def _has_company(self, readings: Sequence[PromptReading]) -> bool:
        if self.company is None:
            return True
        words, anywhere = self.company
        return any(
            (anywhere if reading.is_run else words).search(reading.text) for reading in readings
        )

    def _has_learned(self, learned: Mapping[str, float]) -> bool:
        return not self.learned_categories or any(
            learned.get(name, 0.0) >= self.learned_at_least for name in self.learned_categories
        )

    def _is_excused(self, readings: Sequence[PromptReading]) -> bool:
        return self.excuses is not None and self.excuses.search(readings[0].text) is not None


def match(
    rules: Sequence[WordRule], readings: Sequence[PromptReading], learned: Mapping[str, float]
) -> list[RuleMatch]:
    """Every match of every rule, without doubles, in order of place."""
    found = {hit for rule in rules for hit in rule.matches(readings, learned)}
    return sorted(found, key=lambda hit: (hit.start, hit.end, hit.rule))


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
