"""Claims, leases and tokens under real concurrency."""

from __future__ import annotations

from datetime import timedelta
from threading import Barrier, Thread
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from adapters.models import BaseModel
from generation import queue
from generation.models import GenerationRequest, RequestStatus, WrongState
from tests.factories import NOON, make_request

pytestmark = pytest.mark.django_db


def claim() -> queue.Claim | None:
    return queue.claim(worker="here:1", at=NOON)


def test_claim_takes_priority_then_age(alice: User, model: BaseModel) -> None:
    later = make_request(alice, model, created_at=NOON + timedelta(seconds=1))
    first = make_request(alice, model, created_at=NOON)
    urgent = make_request(alice, model, created_at=NOON + timedelta(seconds=2), priority=1)
    order = [found.request_id for _ in range(3) if (found := claim())]
    assert order == [urgent.id, first.id, later.id]
    assert claim() is None


@pytest.mark.django_db(transaction=True)
def test_four_workers_that_claim_at_once_take_four_requests(alice: User, model: BaseModel) -> None:
    for _ in range(3):
        make_request(alice, model)
    start, taken = Barrier(4), []

    def work() -> None:
        start.wait()
        try:
            taken.append(claim())
        finally:
            connection.close()

    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    claims = [found.request_id for found in taken if found]
    assert len(claims) == len(set(claims)) == 3


def test_old_token_neither_extends_nor_ends_a_request(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    held = claim()
    assert held is not None
    stale = queue.Claim(request.id, uuid4())
    assert not queue.extend_lease(stale, at=NOON).is_held
    queue.fail(stale, code="render_failed", at=NOON)
    queue.confirm_cancel(stale, at=NOON)
    with transaction.atomic(), pytest.raises(queue.LeaseLost):
        queue.locked(stale)
    request.refresh_from_db()
    assert request.status == "running"
    assert queue.extend_lease(held, at=NOON + timedelta(seconds=3)).is_held
    request.refresh_from_db()
    assert request.lease_expires_at == NOON + timedelta(seconds=3) + queue.LEASE


def test_heartbeat_hears_of_a_cancellation(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    held = claim()
    assert held is not None
    assert not queue.extend_lease(held, at=NOON).is_cancel_requested
    request.refresh_from_db()
    request.ask_to_cancel(at=NOON)
    assert queue.extend_lease(held, at=NOON).is_cancel_requested


def test_position_counts_those_ahead(alice: User, bob: User, model: BaseModel) -> None:
    first = make_request(alice, model)
    second = make_request(bob, model, created_at=NOON + timedelta(seconds=1))
    done = make_request(alice, model, status=RequestStatus.FINISHED)
    assert [queue.position(r) for r in (first, second, done)] == [1, 2, None]


@pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
def test_ended_request_cannot_start_again(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    with pytest.raises(WrongState):
        request.start(token=uuid4(), worker="here:1", lease=queue.LEASE, at=NOON)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "running"},
        {"status": "resting"},
        {"is_held": True},
        {"status": "finished"},
        {"status": "failed", "ended_at": NOON},
        {"steps": 101},
    ],
)
def test_database_itself_refuses_impossible_rows(
    alice: User, model: BaseModel, said: dict[str, object]
) -> None:
    request = make_request(alice, model)
    with pytest.raises(IntegrityError), transaction.atomic():
        GenerationRequest.objects.filter(id=request.id).update(**said)
