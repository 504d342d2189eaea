"""What beat sends is worth nothing once the next is sent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from config.celery import app
from config.core import events
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


def test_ticket_that_is_to_wait_is_left_to_the_sweeper_where_it_would_hold_a_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[float | None] = []
    task = app.tasks["generation.tasks.audit_stint"]
    monkeypatch.setattr(events, "after_commit", lambda act: act())
    monkeypatch.setattr(task, "apply_async", lambda *_, countdown, **__: sent.append(countdown))
    for broker in ("redis://127.0.0.1/0", "amqp://127.0.0.1//"):
        monkeypatch.setattr(app.conf, "broker_url", broker)
        events.send("generation.tasks.audit_stint", "a run", 1, countdown_s=5)
        events.send("generation.tasks.audit_stint", "a run", 1)
    assert sent == [5, None, None]
