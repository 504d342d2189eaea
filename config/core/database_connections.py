"""Connections to the database: few, so whoever only waits keeps none, and away for some seconds at
times, as a storage behind a network is."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

from config.core.storage import StorageAway

Params = ParamSpec("Params")
T = TypeVar("T")
PATIENCE_S = 600.0
PAUSE_S = 0.5


def outlast(action: Callable[[], T], *, patience_s: float = PATIENCE_S) -> T:
    """Try a repeatable `action` again until the database, or the storage, is back.

    Raises its error after ten minutes: whoever holds a picture that takes a minute to
    make waits rather than drop it, and its lease in the database fences should another have it.
    """
    deadline = monotonic() + patience_s
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError, StorageAway):
            connection.close()  # a broken one is not mended by waiting
            if monotonic() > deadline:
                raise
        sleep(PAUSE_S)


def given_back(act: Callable[Params, T]) -> Callable[Params, T]:
    """The same function, after which its thread's connection goes back to the pool; in a
    transaction that somebody else began it stays, for it is theirs."""

    @wraps(act)
    def acted(*args: Params.args, **named: Params.kwargs) -> T:
        try:
            return act(*args, **named)
        finally:
            if not connection.in_atomic_block:
                close_old_connections()

    return acted
