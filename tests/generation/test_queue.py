"""Claims, leases and tokens under real concurrency."""

from __future__ import annotations

import random
from datetime import timedelta
from threading import Barrier, Event, Thread
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from adapters.models import BaseModel
from config.core.projects import end_users
from generation.line import claims, place_in_line
from generation.models import FairQueueRing, FairShare, GenerationRequest, RequestStatus, WrongState
from generation.request_rules.deficit_round_robin import QUANTUM_MS
from tests.factories import NOON, make_adapter, make_request
from tests.projects.makers import make_project
from tests.pure.generation.test_rounds import Ring, served_by

pytestmark = pytest.mark.django_db


def claim() -> claims.Claim | None:
    return claims.claim(worker="here:1", at=NOON)


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
    stale = claims.Claim(request.id, uuid4())
    assert claims.extend_lease(stale, at=NOON) == claims.Heartbeat(False, False)
    claims.fail(stale, code="render_failed", at=NOON)
    with pytest.raises(claims.LeaseLost):
        claims.confirm_cancel(stale, at=NOON)
    with transaction.atomic(), pytest.raises(claims.LeaseLost):
        claims.locked(stale)
    request.refresh_from_db()
    assert request.status == "running"
    assert claims.extend_lease(held, at=NOON + timedelta(seconds=3)).is_held
    assert request.lease_term.expires_at == NOON + timedelta(seconds=3) + claims.LEASE


def test_worker_that_was_cut_off_spent_no_attempt(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    cut_off = claim()
    assert cut_off is not None
    request.refresh_from_db()
    request.enqueue(at=NOON)  # as the sweeper does once its lease is over
    second = claim()
    assert second is not None
    claims.give_attempt_back(cut_off)
    request.refresh_from_db()
    assert (request.status, request.attempts, request.lease_token) == ("running", 1, second.token)
    claims.fail(second, code="render_failed", at=NOON)
    claims.give_attempt_back(cut_off)
    request.refresh_from_db()
    assert (request.status, request.attempts) == ("failed", 1)


def test_heartbeat_hears_of_a_cancellation(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model)
    held = claim()
    assert held is not None
    assert not claims.extend_lease(held, at=NOON).is_cancel_requested
    request.refresh_from_db()
    request.ask_to_cancel(at=NOON)
    assert claims.extend_lease(held, at=NOON).is_cancel_requested


def test_position_counts_those_ahead(alice: User, bob: User, model: BaseModel) -> None:
    first = make_request(alice, model)
    second = make_request(bob, model, created_at=NOON + timedelta(seconds=1))
    done = make_request(alice, model, status=RequestStatus.FINISHED)
    assert [place_in_line.position(r) for r in (first, second, done)] == [1, 2, None]


@pytest.mark.parametrize("status", ["finished", "cancelled", "failed"])
def test_ended_request_cannot_start_again(alice: User, model: BaseModel, status: str) -> None:
    request = make_request(alice, model, status=status)
    request.stand_in_line()
    assert claim() is None
    with pytest.raises(WrongState):
        request.enqueue(at=NOON)


@pytest.mark.parametrize(
    "said",
    [
        {"status": "running"},
        {"status": "resting"},
        {"is_held": True},
        {"status": "finished"},
        {"status": "failed", "ended_at": NOON},
        {"steps": 101},
        {"lease_token": uuid4()},
    ],
)
def test_database_itself_refuses_impossible_rows(
    alice: User, model: BaseModel, said: dict[str, object]
) -> None:
    request = make_request(alice, model)
    with pytest.raises(IntegrityError), transaction.atomic():
        GenerationRequest.objects.filter(id=request.id).update(**said)


def test_users_take_turns_however_much_one_has_sent(
    alice: User, bob: User, carol: User, model: BaseModel
) -> None:
    for second in range(6):
        at = NOON + timedelta(seconds=second)
        make_request(alice, model, created_at=at, predicted_ms=1000)
    for user in (bob, carol):
        make_request(user, model, created_at=NOON + timedelta(minutes=1), predicted_ms=1000)
    served = []
    for _ in range(8):
        found = claim()
        assert found is not None
        served.append(GenerationRequest.objects.get(id=found.request_id).owner)
    assert {bob, carol} <= set(served[:3])
    assert served[3:] == [alice] * 5


def test_projects_of_one_person_take_turns_however_much_one_has_sent(
    alice: User, model: BaseModel
) -> None:
    """And however many end users it sent it for."""
    flood, other = make_project(alice, "Flood"), make_project(alice, "Other")
    for second in range(6):
        at = NOON + timedelta(seconds=second)
        somebody = end_users.seen(flood, f"user {second}", at=NOON)
        make_request(
            alice, model, project=flood, end_user=somebody, created_at=at, predicted_ms=1000
        )
    for _ in range(2):
        late = NOON + timedelta(minutes=1)
        make_request(alice, model, project=other, created_at=late, predicted_ms=1000)
    served = []
    for _ in range(8):
        found = claim()
        assert found is not None
        served.append(GenerationRequest.objects.get(id=found.request_id).project)
    assert served[:4].count(other) == 2
    assert served[4:] == [flood] * 4


def served_for(times: int) -> list[object]:
    """Whom the next claims serve: the end user, or who asked."""
    served: list[object] = []
    for _ in range(times):
        found = claim()
        assert found is not None
        request = GenerationRequest.objects.get(id=found.request_id)
        served.append(request.end_user or request.owner)
    return served


def test_end_users_of_one_project_take_turns_however_much_one_has_sent(
    alice: User, bob: User, model: BaseModel
) -> None:
    """By device time, and the project's members beside them."""
    product = make_project(alice, "Product")
    flood, late = (end_users.seen(product, name, at=NOON) for name in ("flood", "late"))

    def ask(of: User, count: int, minute: int, cost_ms: int = 1000, **said: Any) -> None:
        at = NOON + timedelta(minutes=minute)
        for _ in range(count):
            make_request(of, model, project=product, created_at=at, predicted_ms=cost_ms, **said)

    ask(alice, 8, 0, end_user=flood)
    assert served_for(2) == [flood, flood]
    ask(alice, 2, 1, end_user=late)
    ask(bob, 1, 2)
    assert served_for(5) == [flood, late, bob, flood, late]
    ask(alice, 1, 3, cost_ms=3000, end_user=late)
    assert served_for(5) == [flood, flood, flood, late, flood]
    assert claim() is None


def test_an_end_user_has_one_turn_whichever_members_key_asks(
    alice: User, bob: User, model: BaseModel
) -> None:
    product = make_project(alice, "Product")
    flood, late = (end_users.seen(product, name, at=NOON) for name in ("flood", "late"))
    said: dict[str, Any] = {"project": product, "predicted_ms": 1000}
    for _ in range(2):
        for member in (alice, bob):
            make_request(member, model, end_user=flood, **said)
    after = NOON + timedelta(minutes=1)
    for _ in range(2):
        make_request(alice, model, end_user=late, created_at=after, **said)
    assert served_for(6) == [flood, late, flood, late, flood, flood]


def test_request_that_is_handed_back_keeps_its_turn(alice: User, model: BaseModel) -> None:
    first, second = (make_request(alice, model, predicted_ms=1000) for _ in range(2))
    held = claim()
    assert held is not None
    claims.hand_back(held, at=NOON + timedelta(minutes=1))
    order = [found.request_id for _ in range(2) if (found := claim())]
    assert order == [held.request_id, ({first.id, second.id} - {held.request_id}).pop()]


def test_place_in_line_is_by_turns_of_end_users_too(alice: User, model: BaseModel) -> None:
    product = make_project(alice, "Product")
    flood, late = (end_users.seen(product, name, at=NOON) for name in ("flood", "late"))
    said: dict[str, Any] = {"project": product, "predicted_ms": 1000}
    for _ in range(5):
        make_request(alice, model, end_user=flood, **said)
    after = NOON + timedelta(minutes=1)
    assert place_in_line.position(
        make_request(alice, model, end_user=late, created_at=after, **said)
    ) == 2  # fmt: skip


def test_cheap_requests_are_not_held_up_by_dear_ones(
    alice: User, bob: User, model: BaseModel
) -> None:
    for _ in range(3):
        make_request(alice, model, predicted_ms=10_000)
    for _ in range(12):
        make_request(bob, model, predicted_ms=1_000)
    costs = dict.fromkeys((alice.id, bob.id), 0)
    for _ in range(12):
        found = claim()
        assert found is not None
        request = GenerationRequest.objects.get(id=found.request_id)
        costs[request.owner_id] += request.predicted_ms
    assert abs(costs[alice.id] - costs[bob.id]) <= 11_000


@pytest.mark.parametrize("seed", range(6))
def test_claims_serve_whom_counted_rounds_serve(seed: int, model: BaseModel) -> None:
    draw = random.Random(seed)
    lines = {who: [draw.randrange(475) for _ in range(draw.randint(1, 6))] for who in range(1, 6)}
    FairQueueRing.objects.create(priority=0, round=1)
    people = {who: User.objects.create_user(f"user-{who}") for who in lines}
    for who, costs in lines.items():
        for second, cost in enumerate(costs):
            at = NOON + timedelta(seconds=second)
            make_request(people[who], model, created_at=at, predicted_ms=cost)
    served = []
    while found := claim():
        owner = GenerationRequest.objects.get(id=found.request_id).owner
        served.append(int(owner.username.removeprefix("user-")))
    assert served == served_by(Ring(QUANTUM_MS), lines)
    assert not FairShare.objects.exists()


def test_claim_tells_what_it_began(alice: User, model: BaseModel) -> None:
    request = make_request(alice, model, attempts=1)
    found = claim()
    assert found is not None
    request.refresh_from_db()
    assert (request.status, request.attempts, request.started_at) == ("running", 2, NOON)
    assert (request.lease_token, request.lease_worker) == (found.token, "here:1")
    assert request.lease_term.token == found.token
    assert request.lease_term.expires_at == NOON + claims.LEASE


def test_claim_is_one_call_of_the_database(
    alice: User, model: BaseModel, django_assert_max_num_queries: Any
) -> None:
    for _ in range(2):
        make_request(alice, model)
    claim()  # moves the ring on, as the first of a round does
    with django_assert_max_num_queries(1):
        assert claim() is not None


def test_only_interactive_ones_are_taken_under_a_reserved_permit(
    alice: User, model: BaseModel
) -> None:
    make_request(alice, model, priority=0)
    assert claims.claim(worker="here:1", at=NOON, only_interactive=True) is None
    urgent = make_request(alice, model, priority=2)
    found = claims.claim(worker="here:1", at=NOON, only_interactive=True)
    assert found is not None
    assert found.request_id == urgent.id


def test_loaded_adapter_goes_first_among_the_requests_of_one_user(
    alice: User, model: BaseModel
) -> None:
    loaded, other = make_adapter(model, slug="one"), make_adapter(model, slug="two")
    rows = []
    for second, adapter in enumerate((other, loaded)):
        row = make_request(alice, model, created_at=NOON + timedelta(seconds=second))
        row.request_adapters.create(adapter=adapter, weight=1.0, sha256=adapter.sha256, position=0)
        rows.append(row)
    resident = frozenset({loaded.sha256})
    first = claims.claim(worker="here:1", at=NOON, resident=resident)
    assert first is not None
    assert first.request_id == rows[1].id


@pytest.mark.parametrize(("seconds", "overtakes"), [(30, True), (31, False)])
def test_request_that_waited_half_a_minute_is_not_overtaken(
    alice: User, model: BaseModel, seconds: int, overtakes: bool
) -> None:
    loaded, other = make_adapter(model, slug="one"), make_adapter(model, slug="two")
    for second, adapter in enumerate((other, loaded)):
        row = make_request(alice, model, created_at=NOON + timedelta(seconds=second))
        row.request_adapters.create(adapter=adapter, weight=1.0, sha256=adapter.sha256, position=0)
    late = NOON + timedelta(seconds=seconds)
    first = claims.claim(worker="here:1", at=late, resident=frozenset({loaded.sha256}))
    assert first is not None
    [used] = GenerationRequest.objects.get(id=first.request_id).request_adapters.all()
    assert used.adapter == (loaded if overtakes else other)


def test_adapter_of_weight_nought_costs_its_request_no_place(alice: User, model: BaseModel) -> None:
    """It is not loaded, so it need not be there."""
    loaded, silent = make_adapter(model, slug="one"), make_adapter(model, slug="two")
    older = make_request(alice, model)
    older.request_adapters.create(adapter=silent, weight=0, sha256=silent.sha256, position=0)
    younger = make_request(alice, model, created_at=NOON + timedelta(seconds=1))
    younger.request_adapters.create(adapter=loaded, weight=1, sha256=loaded.sha256, position=0)
    first = claims.claim(worker="here:1", at=NOON, resident=frozenset({loaded.sha256}))
    assert first is not None
    assert first.request_id == older.id


def test_only_adapters_that_will_be_worn_are_fetched_ahead(alice: User, model: BaseModel) -> None:
    gone = make_adapter(model, slug="gone", state="withdrawn", withdrawn_at=NOON)
    chosen = [make_adapter(model, slug="one"), make_adapter(model, slug="two", state="accepted")]
    request = make_request(alice, model)
    for place, used in enumerate([gone, *chosen]):
        request.request_adapters.create(
            adapter=used, weight=-0.5, sha256=used.sha256, position=place
        )
    silent = make_adapter(model, slug="silent")
    request.request_adapters.create(adapter=silent, weight=0, sha256=silent.sha256, position=9)
    assert [row.adapter for row in claims.adapters_of_next(model.pk)] == chosen


@pytest.mark.django_db(transaction=True)
def test_user_whose_only_request_is_being_cancelled_holds_up_nobody(
    alice: User, bob: User, model: BaseModel
) -> None:
    busy, free = make_request(alice, model), make_request(bob, model)
    locked, done = Event(), Event()

    def hold() -> None:
        with transaction.atomic():
            GenerationRequest.objects.select_for_update().get(id=busy.id)
            locked.set()
            done.wait(10)
        connection.close()

    other = Thread(target=hold)
    other.start()
    locked.wait(10)
    found = claim()
    done.set()
    other.join()
    assert found is not None
    assert found.request_id == free.id


def test_position_counts_one_turn_of_each_other_user(
    alice: User, bob: User, model: BaseModel
) -> None:
    for second in range(5):
        make_request(alice, model, created_at=NOON + timedelta(seconds=second))
    late = make_request(bob, model, created_at=NOON + timedelta(minutes=1))
    assert place_in_line.position(late) == 2
