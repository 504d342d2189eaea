"""What is kept for a while only goes when that is over: one job asks everybody who registered."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from pytest_django.fixtures import Settings

from config import tasks
from config.core import clock, retention
from generation.models import GenerationRequest, IdempotencyKey, RequestStatus
from tests.factories import NOON, make_model, make_request

PAGE = (settings.ROOT / "docs" / "audit" / "personal-data.md").read_text()
ROWS = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| ")]
TOLD = {row[0]: row[2] for row in ROWS}


def test_people_are_told_of_all_that_goes_by_time() -> None:
    known = {each.datum for each in retention.table()}
    assert len(known) >= 6
    assert known - set(TOLD) == set()
    for each in retention.table():
        assert each.set_by or each.kept in TOLD[each.datum], each.datum


def test_operators_page_has_the_same_table() -> None:
    page = (settings.ROOT / "docs" / "operate" / "retention.md").read_text()
    assert retention.as_markdown() in page


def test_what_goes_is_counted_before(db: None, alice: User) -> None:
    old = NOON - timedelta(days=3)
    make_request(
        alice, make_model(), status=RequestStatus.CANCELLED, is_live=True, created_at=old,
        ended_at=old,
    )  # fmt: skip
    due = {each.datum: each.due(at=NOON) for each in retention.table()}
    assert sum(due.values()) == 1
    assert retention.forget_all(at=NOON) == due
    assert sum(each.due(at=NOON) for each in retention.table()) == 0


def test_project_that_says_nothing_goes_by_the_houses_days(
    db: None, alice: User, settings: Settings
) -> None:
    old = NOON - timedelta(days=40)
    request = make_request(
        alice, make_model(), status=RequestStatus.CANCELLED, created_at=old, ended_at=old
    )
    retention.forget_all(at=NOON)
    assert GenerationRequest.objects.filter(deleted_at=None).exists()
    settings.PROOFSHEET_IMAGES_KEPT_DAYS = 30
    retention.forget_all(at=NOON)
    request.refresh_from_db()
    assert (request.deleted_at, request.prompt) == (NOON, "")


def test_many_go_in_batches(db: None, alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "BATCH", 2)
    model, old = make_model(), NOON - timedelta(days=3)
    for _ in range(5):
        make_request(
            alice, model, status=RequestStatus.CANCELLED, is_live=True, created_at=old, ended_at=old
        )
    datum = "prompts and pictures of the live page that nobody kept"
    assert retention.forget_all(at=NOON)[datum] == 5
    assert not GenerationRequest.objects.exists()


def test_a_hold_that_comes_meanwhile_holds(db: None, alice: User, bob: User) -> None:
    model, old = make_model(), NOON - timedelta(days=3)
    for person in (alice, bob):
        make_request(
            person, model, status=RequestStatus.CANCELLED, is_live=True, created_at=old,
            ended_at=old,
        )  # fmt: skip
    rows, asked = GenerationRequest.objects.filter(is_live=True), []

    def over() -> Any:
        asked.append(1)
        return rows if len(asked) == 1 else rows.exclude(owner=alice)

    retention.in_batches(over)
    assert [row.owner for row in GenerationRequest.objects.all()] == [alice]


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

    def fails(*, at: datetime) -> int:
        raise LookupError("no such table")

    def goes(*, at: datetime) -> int:
        gone.append(at)
        return 1

    monkeypatch.setattr(retention, "_registered", {})
    for datum, forget in (("a", fails), ("b", goes)):
        retention.register(datum, forget, kept="a day", due=goes)
    with pytest.raises(ExceptionGroup) as failed:
        retention.forget_all(at=NOON)
    assert gone == [NOON]
    assert failed.value.exceptions[0].__notes__ == ["while this was to go: a"]
