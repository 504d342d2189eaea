"""The one clock of a house on several hosts: the database's.

A lease that one host writes and another judges must not depend on either's own clock (ADR 75).
Between two looks at the database the process counts on by itself, so that asking costs nothing and
goes on while the database is away.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from time import monotonic

from django.db import DatabaseError, InterfaceError, connection

LOOK_EVERY_S = 10.0
SKEW_TOLD_S = 2.0
logger = logging.getLogger(__name__)
Clock = Callable[[], datetime]


class DatabaseClock:
    """Called, it says the database's time. Raises the database's error if it never has answered."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._looked_at_s = float("-inf")
        self.skew_s = 0.0
        """How far this host's clock was ahead of the database's at the last look."""
        self._started_at: datetime | None = None  # the database's time when `monotonic` was 0

    def __call__(self) -> datetime:
        if monotonic() - self._looked_at_s > LOOK_EVERY_S:
            self._look()
        with self._lock:
            assert self._started_at is not None, "the first look succeeds or raises"
            return self._started_at + timedelta(seconds=monotonic())

    def _look(self) -> None:
        before_s = monotonic()
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT clock_timestamp()")
                (told,) = cursor.fetchone()
        except (DatabaseError, InterfaceError):
            if not connection.in_atomic_block:
                connection.close()  # a broken one is not mended by waiting
            if self._started_at is None:
                raise
            return
        after_s = monotonic()
        with self._lock:
            self._looked_at_s = after_s
            self._started_at = told - timedelta(seconds=(before_s + after_s) / 2)
        self._note_skew((datetime.now(UTC) - told).total_seconds() - (after_s - before_s) / 2)

    def _note_skew(self, skew_s: float) -> None:
        if abs(skew_s) > SKEW_TOLD_S >= abs(self.skew_s):
            logger.warning("this host's clock is %+.1f s off the database's: set it", skew_s)
        self.skew_s = skew_s


now = DatabaseClock()
