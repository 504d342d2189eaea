"""What is kept for a while only, and what ends it. Each room registers its own data when Django
starts, under the names that `docs/audit/personal-data.md` tells people, and one job ends what is
over, whatever it is."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Forget(Protocol):
    """Ends what is over at a time, all of it or so much as may go at once."""

    def __call__(self, *, at: datetime) -> object: ...


_registered: dict[str, Forget] = {}


def register(datum: str, forget: Forget) -> None:
    """Have `forget` called every hour from now on."""
    _registered[datum] = forget


def registered() -> tuple[str, ...]:
    """What goes when its time is over."""
    return tuple(_registered)


def forget_all(*, at: datetime) -> None:
    """End all that is over. What fails keeps nothing else: raises an ExceptionGroup at the end."""
    failures = []
    for datum, forget in _registered.items():
        try:
            forget(at=at)
        except Exception as error:  # the others' time is over too
            error.add_note(f"while this was to go: {datum}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("not all went whose time is over", failures)
