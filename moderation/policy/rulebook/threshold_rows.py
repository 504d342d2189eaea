"""Thresholds of a policy as a form shows and sends them, and how two versions differ. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from moderation.policy.rulebook.policy_document import Rulebook, Stage

STAGES: tuple[Stage, ...] = ("prompt", "image")
LIMITS: tuple[Literal["hold", "refuse"], ...] = ("hold", "refuse")


@dataclass(frozen=True, slots=True)
class ThresholdCell:
    """One threshold: the name of its field, what it says, and how it is called."""

    name: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class ThresholdRow:
    """The thresholds of one category; a floor's are shown and never changed."""

    title: str
    is_floor: bool
    cells: tuple[ThresholdCell, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the later of two versions says otherwise."""

    what: str
    before: str
    after: str


def rows(policy: Rulebook, typed: Mapping[str, Any]) -> list[ThresholdRow]:
    """One row a category; what was typed before stands in its fields."""
    return [
        ThresholdRow(
            category.title,
            category.is_floor,
            tuple(
                ThresholdCell(
                    name, str(typed.get(name, _shown(value))), f"{category.title}, {stage} {limit}"
                )
                for stage in STAGES
                for limit in LIMITS
                for name, value in [
                    (f"{key}.{stage}.{limit}", getattr(category.thresholds[stage], limit))
                ]
            ),
        )
        for key, category in policy.categories.items()
    ]


def changes(policy: Rulebook, typed: Mapping[str, Any]) -> dict[str, Any]:
    """The changes that a form asks for, as `policy_versions.draft` takes them.

    Text that is no number stays text, and the draft is then refused with the place named.
    """
    changed: dict[str, Any] = {}
    for key, category in policy.categories.items():
        asked = {
            stage: {
                limit: _number(typed.get(f"{key}.{stage}.{limit}"), before)
                for limit in LIMITS
                for before in [getattr(category.thresholds[stage], limit)]
            }
            for stage in STAGES
        }
        standing = {
            stage: {limit: getattr(category.thresholds[stage], limit) for limit in LIMITS}
            for stage in STAGES
        }
        if differing := {
            stage: asked[stage] for stage in STAGES if asked[stage] != standing[stage]
        }:
            changed[key] = {"thresholds": differing}
    return {"categories": changed}


def differences(before: Rulebook, after: Rulebook) -> list[Difference]:
    """What `after` says otherwise than `before`: thresholds, words, and scores of rules."""
    found = []
    for name, category in after.categories.items():
        old = before.categories[name]
        for stage in STAGES:
            pairs = [(limit, old.thresholds[stage], category.thresholds[stage]) for limit in LIMITS]
            found += [
                Difference(
                    f"{category.title}: {stage}, {limit} from",
                    _shown(getattr(was, limit)),
                    _shown(getattr(becomes, limit)),
                )
                for limit, was, becomes in pairs
                if getattr(was, limit) != getattr(becomes, limit)
            ]
        for part in ("rule", "explanation"):
            if getattr(old, part) != getattr(category, part):
                said = getattr(old, part), getattr(category, part)
                found.append(Difference(f"{category.title}: {part}", *said))
    scores = {rule.id: rule.score for rule in before.rules}
    found += [
        Difference(f"Rule {rule.id}: score", _shown(scores[rule.id]), _shown(rule.score))
        for rule in after.rules
        if scores[rule.id] != rule.score
    ]
    return found


def _shown(value: float) -> str:
    return f"{value:g}"


def _number(text: Any, otherwise: float) -> float | str:
    if text is None or text == _shown(otherwise):
        return otherwise
    try:
        return float(text)
    except ValueError:
        return str(text)
