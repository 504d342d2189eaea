"""What is kept for a while only goes when that is over: one job asks everybody who registered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User

from config import tasks
from config.core import clock, retention
from generation.models import GenerationRequest, IdempotencyKey, RequestStatus
from tests.factories import NOON, make_model, make_request

PAGE = (settings.ROOT / "docs" / "audit" / "personal-data.md").read_text()
TOLD = {line.split(" | ")[0].strip("| ") for line in PAGE.splitlines() if line.startswith("| ")}


def test_people_are_told_of_all_that_goes_by_time() -> None:
    assert len(retention.registered()) >= 6
    assert set(retention.registered()) - TOLD == set()


def test_every_hour_what_is_over_goes_and_nothing_else(
    db: None, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = make_model()

    def one(days: int, **said: Any) -> GenerationRequest:
        at = NOON - timedelta(days=days)
        return make_request(
            alice, model, status=RequestStatus.CANCELLED, created_at=at, ended_at=at, **said
        )

    one(2, is_live=True)
    kept = one(2)
    for hours, key in ((25, "old"), (23, "new")):
        IdempotencyKey.objects.create(
            owner=alice,
            project_id=kept.project_id,
            key=key,
            body_sha256="",
            request=kept,
            created_at=NOON - timedelta(hours=hours),
        )
    monkeypatch.setattr(clock, "now", lambda: NOON)
    tasks.forget()
    assert list(GenerationRequest.objects.all()) == [kept]
    assert [row.key for row in IdempotencyKey.objects.all()] == ["new"]


def test_what_fails_keeps_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[datetime] = []

    def fails(*, at: datetime) -> None:
        raise LookupError("no such table")

    hooks = {"a": fails, "b": lambda *, at: gone.append(at)}
    monkeypatch.setattr(retention, "_registered", hooks)
    with pytest.raises(ExceptionGroup) as failed:
        retention.forget_all(at=NOON)
    assert gone == [NOON]
    assert failed.value.exceptions[0].__notes__ == ["while this was to go: a"]
