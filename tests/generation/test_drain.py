"""A worker that stops, and outages: nothing of a request is lost, and no attempt of it is spent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError
from pytest_django import Settings

from adapters.models import BaseModel
from generation import tasks
from generation.conditions import init_images
from generation.line import claims
from generation.models import GeneratedImage, RequestStatus
from generation.work import engine_jobs, sweeper, worker
from generation.work.drain import Drain
from tests.factories import NOON, make_image, make_request
from tests.fakes import FakeImageClassifier, FrozenClock

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def drain(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Drain:
    """Of a worker that is told to hand back at once."""
    settings.PROOFSHEET_DRAIN_SECONDS = 0
    made = Drain()
    of_this_worker(monkeypatch, made)
    return made


def of_this_worker(monkeypatch: pytest.MonkeyPatch, drain: Drain) -> None:
    for module in (worker, engine_jobs):
        monkeypatch.setattr(module, "drain", drain)


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    sent: list[str] = []
    monkeypatch.setattr(tasks.render, "apply_async", lambda *_, **said: sent.append(said["queue"]))
    return sent


def while_it_denoises(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    monkeypatch.setattr(engine_jobs, "prefetch_next", lambda _: act())


@pytest.mark.usefixtures("image_classifier")
def test_what_a_worker_that_stops_cannot_finish_waits_again_with_all_its_attempts(
    alice: User,
    tiny: BaseModel,
    clock: FrozenClock,
    drain: Drain,
    tickets: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    request = make_request(alice, tiny, steps=100)
    with monkeypatch.context() as stopping:
        while_it_denoises(stopping, drain.begin)
        assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts, request.queued_at) == ("queued", 0, NOON)
    assert tickets == ["gpu"]
    of_this_worker(monkeypatch, Drain())
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 1)


def test_worker_that_stops_takes_nothing_and_calls_another(
    alice: User, model: BaseModel, clock: FrozenClock, drain: Drain, tickets: list[str]
) -> None:
    request = make_request(alice, model)
    drain.begin()
    assert not worker.work_one(now=clock)
    request.refresh_from_db()
    assert request.status == "queued"
    assert tickets == ["gpu"]


def test_worker_that_stops_has_time_to_finish_first(settings: Settings) -> None:
    settings.PROOFSHEET_DRAIN_SECONDS = 3600
    drain = Drain()
    drain.begin()
    assert drain.is_begun
    assert not drain.is_over


def test_images_that_were_published_are_kept_and_the_others_made_later(
    alice: User, model: BaseModel
) -> None:
    request = make_request(alice, model, count=3)
    claim = claims.claim(worker="here:1", at=NOON)
    assert claim is not None
    request.refresh_from_db()
    make_image(alice, model, request=request, index=1)
    request.note_made(at=NOON)
    claims.hand_back(claim, at=NOON)
    request.refresh_from_db()
    assert (request.status, request.attempts, request.made) == ("queued", 0, 1)
    assert request.outstanding() == [0, 2]
    with pytest.raises(claims.LeaseLost):
        claims.hand_back(claim, at=NOON)


def test_cancelled_request_is_not_handed_back(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    claim = claims.claim(worker="here:1", at=NOON)
    assert claim is not None
    request.refresh_from_db()
    request.ask_to_cancel(at=NOON)
    claims.hand_back(claim, at=NOON)
    request.refresh_from_db()
    assert request.status == "cancelled"


def test_four_outages_of_the_database_cost_a_request_no_attempt(
    alice: User,
    tiny: BaseModel,
    clock: FrozenClock,
    image_classifier: FakeImageClassifier,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(_: object) -> None:
        raise OperationalError("the server closed the connection unexpectedly")

    request = make_request(alice, tiny)
    with monkeypatch.context() as outage:
        outage.setattr(init_images, "load", away)
        for _ in range(4):
            assert worker.work_one(now=clock)
    assert worker.work_one(now=clock)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("finished", 1)
    assert GeneratedImage.objects.count() == 1


def test_after_a_gap_in_the_sweeping_whoever_still_renders_may_renew_first(
    alice: User, model: BaseModel
) -> None:
    """The database was away: nobody could renew, and nobody is lost by that."""
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    for second, status in ((0, "running"), (60, "running"), (70, "queued")):
        sweeper.sweep(at=NOON + timedelta(seconds=second))
        request.refresh_from_db()
        assert request.status == status
