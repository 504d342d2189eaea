"""A project's overlay on the house's policy: it tightens thresholds, has categories held, and adds
words of its own. It never loosens anything, whatever the house's policy becomes later.

An overlay is laid over a rulebook when something is judged, so a stricter house policy holds at
once. Its words speak for themselves: what it allows excuses its own words, never the house's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from config.core.errors import ProofsheetError
from moderation.policy.rulebook.policy_document import (
    Category,
    Rulebook,
    Stage,
    Thresholds,
)
from moderation.policy.rulebook.word_rules import WordRule

HELD_FROM = 0.5
WORDS_MAX, WORD_CHARACTERS = 200, 80
PARTS = frozenset({"thresholds", "hold", "block", "allow"})
Action = Literal["hold", "refuse"]
_STAGES: dict[str, Stage] = {stage: stage for stage in get_args(Stage)}


class OverlayInvalid(ProofsheetError):
    """It is no overlay, or would loosen what the house holds; the message says where."""

    default_code = "overlay_invalid"
    default_message = "This is no overlay on the house's policy."
    default_advice = "An overlay only tightens: thresholds go down, words are added."
    default_status = 422


@dataclass(frozen=True, slots=True)
class OwnWord:
    """A word, or several, of the project's own block list, with what must be there too."""

    term: str
    category: str
    action: Action
    company: tuple[str, ...]
    excuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overlay:
    """One version; `version` names project and number."""

    version: str
    thresholds: Mapping[str, Mapping[Stage, Thresholds]]
    held: frozenset[str]
    words: tuple[OwnWord, ...]


def parse(document: Mapping[str, Any], *, version: str) -> Overlay:
    """Of what a project says. Raises OverlayInvalid for what is no overlay at all."""
    if unknown := sorted(set(document) - PARTS):
        raise OverlayInvalid(message=f"An overlay has no {unknown[0][:80]}.")
    allowed = _terms(document.get("allow", []), "allow")
    return Overlay(
        version=version,
        thresholds={
            name: _stages(name, said)
            for name, said in _mapping(document.get("thresholds", {}), "thresholds").items()
        },
        held=frozenset(_terms(document.get("hold", []), "hold")),
        words=tuple(_word(each, allowed) for each in _list(document.get("block", []), "block")),
    )


def check(overlay: Overlay, *, over: Rulebook) -> None:
    """Whether it only tightens the policy that holds now. Raises OverlayInvalid.

    Of a later policy that is stricter still, the stricter one holds: nothing is checked again.
    """
    named = {*overlay.thresholds, *overlay.held, *(word.category for word in overlay.words)}
    if unknown := sorted(named - set(over.categories)):
        raise OverlayInvalid(message=f"The policy has no category {unknown[0][:80]!r}.")
    for name, stages in overlay.thresholds.items():
        for stage, pair in stages.items():
            house = over.categories[name].thresholds[stage]
            if pair.hold > house.hold or pair.refuse > house.refuse:
                raise OverlayInvalid(
                    message=f"{name}, {stage}: the house holds from {house.hold:g} and refuses"
                    f" from {house.refuse:g}; an overlay lies no higher."
                )


def laid_over(book: Rulebook, overlay: Overlay | None) -> Rulebook:
    """The house's policy as the project has it judged: nothing in it is laxer than in `book`."""
    if overlay is None:
        return book
    categories = {name: _tightened(category, overlay) for name, category in book.categories.items()}
    words = [word for word in overlay.words if word.category in categories]
    for word in words:
        categories[word.category] = _reachable(categories[word.category], word.action)
    own = tuple(_rule(n, word, categories[word.category]) for n, word in enumerate(words))
    return replace(book, categories=categories, rules=book.rules + own)


def _tightened(category: Category, overlay: Overlay) -> Category:
    stages = dict(category.thresholds)
    for stage, said in overlay.thresholds.get(category.name, {}).items():
        stages[stage] = _lower(stages[stage], said)
    if category.name in overlay.held:
        for stage, pair in stages.items():
            stages[stage] = _lower(pair, Thresholds(HELD_FROM, pair.refuse))
    return replace(category, thresholds=stages)


def _lower(one: Thresholds, other: Thresholds) -> Thresholds:
    refuse = min(one.refuse, other.refuse)
    return Thresholds(min(one.hold, other.hold, refuse), refuse)


def _reachable(category: Category, action: Action) -> Category:
    """With thresholds that a full score reaches, where the house has never."""
    pair = category.thresholds["prompt"]
    wanted = Thresholds(1.0, 1.0 if action == "refuse" else pair.refuse)
    return replace(category, thresholds={**category.thresholds, "prompt": _lower(pair, wanted)})


def _rule(number: int, word: OwnWord, category: Category) -> WordRule:
    """Its score is what the action asks for: just held, or surely refused."""
    pair = category.thresholds["prompt"]
    body = {
        "id": f"project.{number}",
        "category": word.category,
        "score": 1.0 if word.action == "refuse" else pair.hold,
        "terms": [word.term],
        "with": word.company,
        "unless": word.excuses,
    }
    return WordRule.parse(body, {})


def _stages(name: str, said: Any) -> dict[Stage, Thresholds]:
    found: dict[Stage, Thresholds] = {}
    for named, pair in _mapping(said, f"thresholds.{name}").items():
        stage = _STAGES.get(named)
        if stage is None:
            raise OverlayInvalid(message=f"There is no stage {str(named)[:80]!r}.")
        body = _mapping(pair, f"thresholds.{name}.{stage}")
        if set(body) != {"hold", "refuse"}:
            raise OverlayInvalid(message=f"{name}, {stage}: say both hold and refuse.")
        hold, refuse = _score(body["hold"], "hold"), _score(body["refuse"], "refuse")
        found[stage] = Thresholds(min(hold, refuse), refuse)
    return found


def _score(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 2:
        raise OverlayInvalid(message=f"{name} is no number above 0 and up to 1; 2 is never.")
    return float(value)


def _word(said: Any, allowed: tuple[str, ...]) -> OwnWord:
    body = _mapping(said, "block")
    action = body.get("action", "refuse")
    if action not in get_args(Action):
        raise OverlayInvalid(message="A blocked word is held or refused: action hold or refuse.")
    [term] = _terms([body.get("term", "")], "block")
    return OwnWord(
        term=term,
        category=str(body.get("category", "")),
        action=action,
        company=_terms(body.get("with", []), "with"),
        excuses=_terms(body.get("unless", []), "unless") + allowed,
    )


def _terms(said: Any, where: str) -> tuple[str, ...]:
    terms = tuple(str(term).strip() for term in _list(said, where))
    for term in terms:
        if not any(character.isalnum() for character in term) or len(term) > WORD_CHARACTERS:
            raise OverlayInvalid(
                message=f"{where}: a word has letters, and {WORD_CHARACTERS} characters at most."
            )
        if term.startswith("="):
            raise OverlayInvalid(message=f"{where}: lists of the house are not for overlays.")
    return terms


def _list(said: Any, where: str) -> Sequence[Any]:
    if not isinstance(said, list) or len(said) > WORDS_MAX:
        raise OverlayInvalid(message=f"{where} is a list of {WORDS_MAX} entries at most.")
    return said


def _mapping(said: Any, where: str) -> Mapping[str, Any]:
    if not isinstance(said, dict):
        raise OverlayInvalid(message=f"{where} is an object.")
    return said
