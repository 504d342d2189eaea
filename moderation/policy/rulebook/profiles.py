"""Audience profiles: a policy that says only in what it differs from another one. Pure."""

from collections.abc import Mapping
from typing import Any

CATEGORY_PARTS = frozenset({"rule", "explanation", "thresholds", "law"})
FLOOR_PARTS = frozenset({"law"})  # naming the law that a floor follows lowers nothing
RULE_PARTS = frozenset({"score"})


class ProfileInvalid(ValueError):
    """A profile changes what it may not, or what is not there; the message says what."""


def layered(base: Mapping[str, Any], profile: Mapping[str, Any]) -> dict[str, Any]:
    """The full policy document of a profile over its base.

    A profile may set rule, explanation, thresholds and law of a category and the score of a rule,
    but of a floor category the law alone. Raises ProfileInvalid.
    """
    return {
        **base,
        **{name: profile[name] for name in ("version", "profile", "title")},
        "categories": _categories(base["categories"], profile.get("categories", {})),
        "rules": _rules(base, profile.get("rules", {})),
    }


def _categories(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    for name, change in changes.items():
        if name not in base:
            raise ProfileInvalid(f"$.categories.{name}: the base has no such category")
        if base[name]["is_floor"] and set(change) - FLOOR_PARTS:
            raise ProfileInvalid(f"$.categories.{name}: no profile may change a floor")
        _check(f"$.categories.{name}", change, CATEGORY_PARTS)
    return {name: {**body, **changes.get(name, {})} for name, body in base.items()}


def _rules(base: Mapping[str, Any], changes: Mapping[str, Any]) -> list[dict[str, Any]]:
    known = {rule["id"]: rule for rule in base["rules"]}
    for rule_id, change in changes.items():
        if rule_id not in known:
            raise ProfileInvalid(f"$.rules.{rule_id}: the base has no such rule")
        if base["categories"][known[rule_id]["category"]]["is_floor"]:
            raise ProfileInvalid(f"$.rules.{rule_id}: no profile may change a floor's rule")
        _check(f"$.rules.{rule_id}", change, RULE_PARTS)
    return [{**rule, **changes.get(rule["id"], {})} for rule in base["rules"]]


def _check(place: str, change: Mapping[str, Any], allowed: frozenset[str]) -> None:
    if unknown := set(change) - allowed:
        raise ProfileInvalid(f"{place}: a profile may not set {sorted(unknown)}")
