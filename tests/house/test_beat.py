"""What beat sends is worth nothing once the next is sent."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings

from config.celery import app

SCHEDULE: dict[str, dict[str, Any]] = settings.CELERY_BEAT_SCHEDULE


@pytest.mark.parametrize("name", sorted(SCHEDULE))
def test_each_ticket_of_beats_expires(name: str) -> None:
    every = SCHEDULE[name]["schedule"]
    expires_s = SCHEDULE[name]["options"]["expires"]
    assert expires_s <= (max(10, every) if isinstance(every, float) else 3600)


def test_a_minute_of_standing_still_leaves_few_tickets_that_count() -> None:
    every = [
        (entry["schedule"], entry["options"]["expires"])
        for entry in SCHEDULE.values()
        if isinstance(entry["schedule"], float)
    ]
    assert sum(60 / each_s for each_s, _ in every) > 100
    assert sum(min(60, expires_s) / each_s for each_s, expires_s in every) < 25


def test_beat_sends_the_expiry_along() -> None:
    entry = app.conf.beat_schedule["sequence-log"]
    assert entry["options"]["expires"] == 10.0
