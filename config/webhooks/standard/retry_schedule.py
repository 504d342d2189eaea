"""When a delivery is tried again, and for how long an endpoint that fails is left alone. Pure.

The schedule is that of Standard Webhooks 1.0.0: ten attempts over a little more than three days.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

SCHEDULE = (
    timedelta(0),
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""What passes before each attempt, the first one included."""

JITTER = 0.2
WAIT_MAX = timedelta(hours=24)
"""The longest that a receiver may ask for with `Retry-After`."""

THROTTLES = frozenset({429, 502, 503, 504})
"""Answers that speak for the whole endpoint and not for one delivery."""

_TRIES_BEFORE_REST = 3
_REST, _REST_MAX = timedelta(seconds=5), timedelta(minutes=5)


def delay_after(attempts: int, *, luck: float) -> timedelta | None:
    """What passes after that many failed attempts; None when there is none left.

    `luck` is in [0, 1): up to a fifth is added, so that what failed together does not come back
    together.
    """
    if attempts >= len(SCHEDULE):
        return None
    return SCHEDULE[attempts] * (1 + JITTER * luck)


def asked_wait(retry_after: str, *, at: datetime) -> timedelta:
    """What a `Retry-After` header asks for, in seconds or as a date: from nothing to a day.

    Words that are neither ask for nothing.
    """
    said = retry_after.strip()
    if said.isascii() and said.isdecimal():
        seconds = min(int(said[:9]), int(WAIT_MAX.total_seconds()))
        return timedelta(seconds=seconds)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, TypeError):
        return timedelta(0)
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max(until - at, timedelta(0)), WAIT_MAX)


def rest_after(failures: int) -> timedelta:
    """For how long an endpoint is left alone after that many failures in a row: not at all for the
    first ones, then twice as long each time up to five minutes. One delivery probes it then.
    """
    if failures < _TRIES_BEFORE_REST:
        return timedelta(0)
    doubled = min(failures - _TRIES_BEFORE_REST, 10)
    return min(_REST * (1 << doubled), _REST_MAX)
