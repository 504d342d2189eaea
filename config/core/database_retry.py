"""Carries on when the database is away for a few seconds."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic, sleep
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection

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
