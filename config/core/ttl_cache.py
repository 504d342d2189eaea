"""Answers that may be a moment old, so that not every submission asks for them anew."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Concatenate, ParamSpec, TypeVar

from django.conf import settings

Key = TypeVar("Key")
Value = TypeVar("Value")
More = ParamSpec("More")
KEYS_MAX = 1000


def remembered(
    find: Callable[Concatenate[Key, More], Value],
) -> Callable[Concatenate[Key, More], Value]:
    """`find`, asked at most once in PROOFSHEET_REMEMBER_S seconds for each first argument; the
    other arguments tell nothing apart. In this process alone; what raises is not remembered."""
    known: dict[Key, tuple[float, Value]] = {}

    def ask(key: Key, /, *more: More.args, **said: More.kwargs) -> Value:
        seconds, now, found = settings.PROOFSHEET_REMEMBER_S, monotonic(), known.get(key)
        if found is not None and now - found[0] < seconds:
            return found[1]
        value = find(key, *more, **said)
        if not seconds:
            return value
        if len(known) >= KEYS_MAX:
            known.clear()
        known[key] = now, value
        return value

    return ask
