"""What beat sends is worth nothing once the next is sent."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.celery import app
from config.launch.programs import children

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


def test_what_the_cpu_does_for_the_house_waits_behind_no_prompt() -> None:
    """And whoever takes prompts takes it too: a queue that nobody takes from stops the log."""
    queues = {name: entry["options"].get("queue") for name, entry in SCHEDULE.items()}
    assert queues["sequence-log"] == queues["requeue-stalled"] == "beat"
    assert queues["sweep-outbox"] is None
    told = " ".join(" ".join(child.command) for child in children("127.0.0.1", 8000, Path("logs")))
    assert "-Q cpu,beat " in told


def test_no_task_has_a_priority_which_brokers_count_in_opposite_directions() -> None:
    assert not any("priority" in route for route in settings.CELERY_TASK_ROUTES.values())


def test_no_ticket_is_to_wait_in_a_workers_place() -> None:
    """Celery keeps what is sent with a countdown or an ETA in one of the worker's places."""
    rooms = ("config", "generation", "adapters", "moderation", "provenance")
    waits = re.compile(r"\b(countdown|eta)\s*=|\.retry\(")
    sources = [path for room in rooms for path in (settings.ROOT / room).rglob("*.py")]
    assert len(sources) > 300
    assert [path.name for path in sources if waits.search(path.read_text())] == []
