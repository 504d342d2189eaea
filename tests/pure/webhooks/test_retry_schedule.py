"""Ten attempts over three days, what a receiver may ask for, and how long an endpoint rests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.webhooks.standard import retry_schedule
from config.webhooks.standard.retry_schedule import SCHEDULE, WAIT_MAX

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


def test_the_schedule_is_the_standards() -> None:
    hours = [delay.total_seconds() / 3600 for delay in SCHEDULE]
    assert hours == [0, 5 / 3600, 5 / 60, 0.5, 2, 5, 10, 14, 20, 24]


@given(st.integers(1, 9), st.floats(0, 1, exclude_max=True))
def test_a_failed_attempt_waits_its_time_and_up_to_a_fifth_more(attempts: int, luck: float) -> None:
    delay = retry_schedule.delay_after(attempts, luck=luck)
    assert delay is not None
    assert SCHEDULE[attempts] <= delay <= SCHEDULE[attempts] * 1.2


def test_after_the_tenth_there_is_none() -> None:
    assert retry_schedule.delay_after(10, luck=0.5) is None
    assert retry_schedule.delay_after(99, luck=0.5) is None


def test_what_failed_together_does_not_come_back_together() -> None:
    found = {retry_schedule.delay_after(3, luck=luck / 10) for luck in range(10)}
    assert len(found) == 10


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        ("", 0),
        ("120", 120),
        (" 7 ", 7),
        ("-5", 0),
        ("soon", 0),
        ("9" * 400, 86_400),
        ("٣", 0),
        ("Sun, 29 Nov 2026 12:01:00 GMT", 60),
        ("Sun, 29 Nov 2026 12:01:00", 60),
        ("Sun, 29 Nov 2026 11:00:00 GMT", 0),
        ("Sun, 29 Nov 2126 11:00:00 GMT", 86_400),
        ("Sun, 99 Nov 2026 11:00:00 GMT", 0),
    ],
)
def test_a_receiver_asks_for_no_more_than_a_day(said: str, seconds: int) -> None:
    assert retry_schedule.asked_wait(said, at=NOON) == timedelta(seconds=seconds)


@given(st.text(max_size=60))
def test_no_header_breaks_anything(said: str) -> None:
    assert timedelta(0) <= retry_schedule.asked_wait(said, at=NOON) <= WAIT_MAX


def test_an_endpoint_that_fails_rests_longer_each_time_up_to_five_minutes() -> None:
    rests = [retry_schedule.rest_after(failures).total_seconds() for failures in range(13)]
    assert rests == [0, 0, 0, 5, 10, 20, 40, 80, 160, 300, 300, 300, 300]
    assert retry_schedule.rest_after(10**6) == timedelta(minutes=5)
