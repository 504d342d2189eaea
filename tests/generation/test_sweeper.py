"""What a dead worker or a lost message left behind is picked up."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoCaptureOnCommitCallbacks

from adapters.models import BaseModel
from generation import tasks
from generation.hardware import worker_processes
from generation.line import claims
from generation.models import GenerationRequest, RequestStatus, Worker
from generation.request_rules.parameters import RequestParameters
from generation.requests import submitting
from generation.work import sweeper
from tests.factories import NOON, make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def tickets(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was sent to the broker, instead of sending it."""
    sent: list[str] = []
    monkeypatch.setattr(tasks.render, "apply_async", lambda *_, **__: sent.append("render"))
    monkeypatch.setattr(
        tasks.screen_prompt, "apply_async", lambda args=(), *_, **__: sent.append(args[0])
    )
    return sent


def lose(request: GenerationRequest, **said: object) -> None:
    late = NOON + claims.LEASE + timedelta(seconds=1)
    GenerationRequest.objects.filter(id=request.id).update(**said)
    sweeper.sweep(at=late)
    request.refresh_from_db()


def test_lost_lease_puts_the_request_back_in_its_old_place(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    lose(request)
    assert (request.status, request.queued_at, request.lease_token) == ("queued", NOON, None)


def test_third_lost_worker_ends_it_with_a_code(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    lose(request, attempts=3)
    assert (request.status, request.code) == ("failed", "worker_lost")


def test_second_lost_worker_ends_nothing(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    lose(request, attempts=2)
    assert request.status == "queued"


def test_cancelled_request_of_a_dead_worker_ends_cancelled(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    lose(request, cancel_requested_at=NOON)
    assert request.status == "cancelled"


def test_live_lease_is_left_alone(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, status=RequestStatus.RUNNING)
    sweeper.sweep(at=NOON + claims.LEASE - timedelta(seconds=1))
    request.refresh_from_db()
    assert request.status == "running"


def test_submitted_request_whose_ticket_was_lost_is_sent_again(
    alice: User,
    model: BaseModel,
    tickets: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    lost = make_request(alice, model, status=RequestStatus.SUBMITTED)
    fresh_at = NOON + sweeper.PATIENCE
    make_request(alice, model, status=RequestStatus.SUBMITTED, created_at=fresh_at)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=NOON + sweeper.PATIENCE + timedelta(seconds=1))
    assert tickets == [str(lost.id)]


@pytest.mark.parametrize(
    ("slots", "running", "sent"), [(2, 0, 3), (2, 1, 3), (2, 2, 0), (10, 5, 3), (10, 6, 0)]
)
def test_tickets_are_sent_again_only_while_a_live_worker_idles(
    alice: User,
    model: BaseModel,
    tickets: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
    slots: int,
    running: int,
    sent: int,
) -> None:
    late = NOON + sweeper.PATIENCE + timedelta(seconds=1)
    worker_processes.announce("render@here", queues=["gpu"], slots=slots, at=late)
    for _ in range(3):
        make_request(alice, model)
    for _ in range(running):
        make_request(
            alice, model, status=RequestStatus.RUNNING, lease_expires_at=late + claims.LEASE
        )
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=late)
    assert len(tickets) == sent


def test_no_ticket_piles_up_while_no_worker_lives(
    alice: User,
    model: BaseModel,
    tickets: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    worker_processes.announce("cpu@here", queues=["cpu"], slots=2, at=NOON)
    make_request(alice, model)
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=NOON + sweeper.PATIENCE + timedelta(seconds=1))
    assert tickets == []


def test_broker_that_is_away_loses_no_submission(
    alice: User,
    model: BaseModel,
    monkeypatch: pytest.MonkeyPatch,
    tickets: list[str],
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    def away(*_: object, **__: object) -> None:
        raise ConnectionError("the broker does not answer")

    with monkeypatch.context() as outage:
        outage.setattr(tasks.screen_prompt, "apply_async", away)
        with django_capture_on_commit_callbacks(execute=True):
            made = submitting.submit(
                RequestParameters(prompt="a red apple"), by=alice, at=NOON
            ).request
    assert made.status == "submitted"
    with django_capture_on_commit_callbacks(execute=True):
        sweeper.sweep(at=NOON + sweeper.PATIENCE + timedelta(seconds=1))
    assert tickets == [str(made.id)]


def test_worker_that_fell_silent_is_not_alive(db: None) -> None:
    worker_processes.announce("render@here", queues=["gpu"], slots=2, at=NOON)
    assert worker_processes.alive("gpu", at=NOON + timedelta(seconds=10)).exists()
    assert not worker_processes.alive("cpu", at=NOON).exists()
    assert not worker_processes.alive("gpu", at=NOON + timedelta(seconds=30)).exists()
    sweeper.sweep(at=NOON + timedelta(days=2))
    assert not Worker.objects.exists()
