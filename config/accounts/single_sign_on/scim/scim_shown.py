"""Which attributes of a resource are shown: `attributes` and `excludedAttributes` (RFC 7644, 3.9).
Pure.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from config.accounts.single_sign_on.scim import scim_words

ALWAYS = frozenset({"schemas", "id"})
ON_REQUEST = frozenset({"members.display"})
"""Shown to who names them: a provider compares what it sent with what it is shown."""

NAMES_MAX = 50


def names_in(said: Any) -> frozenset[str]:
    """The paths of a query parameter, or of a list in a search. Raises BadRequestError."""
    listed = said.split(",") if isinstance(said, str) else said or []
    if not isinstance(listed, list) or len(listed) > NAMES_MAX:
        raise scim_words.wrong(f"Name at most {NAMES_MAX} attributes.")
    return frozenset(
        plain for one in listed if (plain := scim_words.plain(scim_words.text(one, "attributes")))
    )


def narrowed(
    shown: dict[str, Any], *, wanted: Collection[str], unwanted: Collection[str]
) -> dict[str, Any]:
    """A resource, or a list's every one, with the wanted attributes alone, or without the unwanted
    ones."""
    if "Resources" in shown:
        rows = [narrowed(one, wanted=wanted, unwanted=unwanted) for one in shown["Resources"]]
        return shown | {"Resources": rows}
    found = {}
    for name, value in shown.items():
        if name in ALWAYS:
            found[name] = value
        elif (kept := _part(value, name.lower(), wanted, unwanted)) is not None:
            found[name] = kept
    return found


def _part(value: Any, name: str, wanted: Collection[str], unwanted: Collection[str]) -> Any:
    """The attribute as it is shown; None where it is not."""
    below = f"{name}."
    parts = {path.removeprefix(below) for path in wanted if path.startswith(below)}
    if wanted and name not in wanted:
        return _only(value, lambda part: part in parts) if parts else None
    if not wanted and name in unwanted:
        return None
    left_out = ON_REQUEST if wanted else ON_REQUEST | set(unwanted)
    gone = {path.removeprefix(below) for path in left_out if path.startswith(below)} - parts
    return _only(value, lambda part: part not in gone) if gone else value


def _only(value: Any, is_shown: Any) -> Any:
    if isinstance(value, list):
        return [_only(one, is_shown) for one in value]
    if isinstance(value, dict):
        return {name: each for name, each in value.items() if is_shown(name.lower())}
    return value
