"""Connections to the database: few, so whoever only waits keeps none, and away for some seconds at
times."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from time import monotonic, sleep
from typing import ParamSpec, TypeVar

from django.db import InterfaceError, OperationalError, close_old_connections, connection

Params = ParamSpec("Params")
T = TypeVar("T")
PATIENCE_S = 20.0
PAUSE_S = 0.5


def outlast(action: Callable[[], T]) -> T:
    """Try a repeatable `action` again until the database is back.

    Raises the database's error after 20 seconds: by then the lease of whatever was at work has run
    out, and the sweeper gives it to another worker.
    """
    deadline = monotonic() + PATIENCE_S
    while True:
        try:
            return action()
        except (OperationalError, InterfaceError):
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
