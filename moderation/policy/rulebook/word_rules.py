"""Rules over the readings of a prompt: words, words that need company, and contexts that excuse
them.

A term is one or more words; a final ``*`` stands for any ending, a leading ``=`` names a list of
terms. A context that governs a match softens it (`concept_rules`).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from moderation.policy.rulebook import ages
from moderation.policy.rulebook.concept_rules import SOFTENED, ConceptRule, Prompt, RuleMatch
from moderation.policy.rulebook.lexicon import Lexicon
from moderation.policy.rulebook.lexicons.entries import SURE_LETTERS, with_marks
from moderation.policy.rulebook.mentions import (
    BARED,
    CLOTHING,
    COMPOUNDS,
    NEVER_HARMLESS,
    PERSON,
    Mention,
)
from moderation.policy.rulebook.prompt_readings import (
    PromptReading,
    PromptReadings,
    canonical,
    readings,
)

SHORTEST_RUN_TERM = (
    4  # inside spaced-out letters word borders are lost, so short words would hit anywhere
)
CLAUSES_MAX = 100  # of a negative prompt that are asked about
_BEFORE_NOUN = re.compile(
    r"^\W*(?:(?:any|all|some|the|an?|every|her|his|their|wearing|with)\s+)*", re.IGNORECASE
)
Found = tuple[PromptReading, re.Match[str]]


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
    context: re.Pattern[str] | None
    silent: re.Pattern[str] | None
    marked: frozenset[str] = frozenset()  # the terms that have marks, as they are listed

    @classmethod
    def parse(cls, body: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> "WordRule":
        """Compile a rule that the schema has checked. KeyError names a list that is not defined."""
        terms = _expanded(body["terms"], lists)
        company = _expanded(body.get("with", ()), lists)
        excuses = _expanded(body.get("unless", ()), lists)
        context = _expanded(body.get("context", ()), lists)
        silent = _expanded(body.get("silent", ()), lists)
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
            context=_words(context) if context else None,
            silent=_words(silent) if silent else None,
            marked=frozenset(word.casefold() for word in _listed(body["terms"], lists)),
        )

    def matches(self, prompt: Prompt, learned: Mapping[str, float]) -> Iterator[RuleMatch]:
        """All places where the rule speaks; none where an excuse or lack of company silences it.
        What CLIP alone reads as words may add places, and takes none away."""
        if not self._has_learned(learned):
            return
        seen = prompt.readings
        yield from self._spoken(prompt, seen.plain, seen.plain[:1])
        if seen.split:
            wholes = [seen.plain[0], seen.split[0]]
            yield from self._spoken(prompt, [*seen.plain, *seen.split], wholes)

    def _spoken(
        self, prompt: Prompt, among: list[PromptReading], wholes: list[PromptReading]
    ) -> Iterator[RuleMatch]:
        harmless = [each for name in COMPOUNDS for each in prompt.said.get(name, ())]

        def said(words: re.Pattern[str], anywhere: re.Pattern[str]) -> list[Found]:
            return [
                (reading, found)
                for reading, found in _found(among, words, anywhere)
                if not _is_within(reading.original(*found.span()), harmless)
            ]

        terms = said(self.terms, self.run_terms)
        company = said(*self.company) if terms and self.company else terms
        if company and not self._is_excused(prompt.readings, wholes, terms + company):
            contexts = _places(wholes, self.context)
            silent = _places(wholes, self.silent)
            for reading, found in terms:
                place = reading.original(*found.span())
                is_another = self._is_another_word(prompt.text[slice(*place)])
                if not is_another and not prompt.is_governed(place, silent):
                    is_soft = prompt.is_governed(place, contexts, reach="before")
                    score = min(self.score, SOFTENED) if is_soft else self.score
                    yield RuleMatch(*place, self.id, self.category, score)

    def _is_another_word(self, typed: str) -> bool:
        """Whether a short word has marks that none of the terms has (Polish *górę* is no gore)."""
        is_short = not typed.isascii() and sum(c.isalpha() for c in typed) < SURE_LETTERS
        return (
            is_short
            and typed.casefold() not in self.marked
            and bool(with_marks(typed, SURE_LETTERS))
        )

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
    rules: Sequence[WordRule | ConceptRule],
    text: str,
    learned: Mapping[str, float],
    words: Lexicon | None = None,
    *,
    shows: Collection[str] = (),
) -> list[RuleMatch]:
    """Every match of every rule in the prompt `text`, once with its highest score, in order of
    place. `words` say which concepts it names; of `shows`: see `beside`."""
    seen = readings(text)
    said: dict[str, list[Mention]] = {}
    for each in words.said(text) if words else ():
        said.setdefault(each.concept, []).append(each)
    for concept in shows:
        said.setdefault(concept, []).append(Mention(concept, "", 0, len(text)))
    prompt = Prompt(text, seen, said)
    found: dict[tuple[int, int, str], RuleMatch] = {}
    for rule in rules:
        hits = rule.matches(prompt, learned) if isinstance(rule, WordRule) else rule.matches(prompt)
        for hit in hits:
            key = (hit.start, hit.end, hit.rule)
            if key not in found or found[key].score < hit.score:
                found[key] = hit
    return [found[key] for key in sorted(found)]


def beside(
    words: Lexicon | None, *, shows_person: bool, names: Iterable[str] = (), negative: str = ""
) -> frozenset[str]:
    """The concepts that a picture has beside what its prompt says: whom an upload or an adapter
    shows, who its adapters' `names` and trigger words say, and whether the `negative` prompt takes
    clothes away."""
    shown = {PERSON} if shows_person else set()
    if words is None:
        return frozenset(shown)
    shown |= {each.concept for name in names for each in words.said(name)} & NEVER_HARMLESS
    clauses = [_BEFORE_NOUN.sub("", clause) for clause in re.split(r"[,;|.!\n]", negative)]
    for clause in dict.fromkeys(clauses[:CLAUSES_MAX]):
        if any(each.concept == CLOTHING and each.start == 0 for each in words.said(clause)):
            shown.add(BARED)
    return frozenset(shown)


def _found(
    among: Sequence[PromptReading], words: re.Pattern[str], anywhere: re.Pattern[str]
) -> list[Found]:
    return [
        (reading, found)
        for reading in among
        for found in (anywhere if reading.is_run else words).finditer(reading.text)
        if found[0] and not ages.is_rest_of_number(reading.text, found.start())
    ]


def _is_within(place: tuple[int, int], compounds: Sequence[Mention]) -> bool:
    return any(each.start <= place[0] and place[1] <= each.end for each in compounds)


def _places(
    wholes: Sequence[PromptReading], words: re.Pattern[str] | None
) -> list[tuple[int, int]]:
    if words is None:
        return []
    return sorted(
        {whole.original(*found.span()) for whole in wholes for found in words.finditer(whole.text)}
    )


def _listed(terms: Sequence[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """Terms with lists put in their place."""
    return [
        word for term in terms for word in (lists[term[1:]] if term.startswith("=") else [term])
    ]


def _expanded(terms: Sequence[str], lists: Mapping[str, Sequence[str]]) -> list[str]:
    """As a list, spelt as the canonical reading spells every text."""
    return [canonical(word).text for word in _listed(terms, lists)]


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
