"""What a worker takes out of the line: claim, lease, heartbeat, give back.

A Celery message is only a ticket. Whoever draws one claims the best waiting request under the lock
of its project's share and holds it by a lease whose token fences: a result is published only under
the token that is still in the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import F

from adapters.models import Adapter
from config.core.errors import ProofsheetError
from generation.hardware import hardware_queues
from generation.line import tickets
from generation.models import (
    FairQueueRing,
    GenerationRequest,
    LeaseTerm,
    RequestAdapter,
    RequestStatus,
)
from generation.request_rules import claim_function, deficit_round_robin, priority_classes

LEASE = timedelta(seconds=20)
HEARTBEAT_S = 0.5
RENEW_S = 5.0
_CLAIM = (
    f"SELECT * FROM public.{claim_function.NAME}(%s::bigint[], %s::int, %s::text[], %s::int,"
    " %s::interval, %s::int, %s::uuid, %s, %s::timestamptz, %s::interval)"
)
ATTEMPTS_MAX = 3
OVERTAKEN_MAX = 8
OVERTAKEN_FOR_MAX = timedelta(seconds=30)


class LeaseLost(ProofsheetError):
    """Another worker holds the request now, or it ended: this result must not be published."""

    default_code = "lease_lost"
    default_message = "The request was taken over by another worker."


@dataclass(frozen=True, slots=True)
class Claim:
    """`token` is in the request's row for as long as it runs under this claim, and no longer: a
    check constraint lets none but a running one have a token."""

    request_id: UUID
    token: UUID


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """What an extended lease tells: whether it still holds, and whether the owner cancelled."""

    is_held: bool
    is_cancel_requested: bool


def claim(
    *,
    worker: str,
    at: datetime,
    name: str = hardware_queues.ANY,
    resident: frozenset[str] = frozenset(),
    only_interactive: bool = False,
) -> Claim | None:
    """Take the best request that waits in the queue of that `name`: the highest priority
    class, there the project whose turn it is, and of that project's next requests, by whom they
    are for in turns, one whose adapters (`resident`, by digest) are loaded already.
    """
    token = uuid4()
    asked: list[Any] = [
        hardware_queues.models_of(name),
        priority_classes.PRIORITIES["interactive"] if only_interactive else None,
        list(resident),
        OVERTAKEN_MAX,
        OVERTAKEN_FOR_MAX,
        deficit_round_robin.QUANTUM_MS,
        token,
        worker,
        at,
        LEASE,
    ]
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, asked)
        taken = cursor.fetchone()
    assert taken is not None, "the function gives one row, empty where none waits"
    request_id, ring, served_in, is_ring_behind = taken
    if request_id is None:
        return None
    if is_ring_behind:
        _move_on(ring, served_in)
    return Claim(request_id, token)


def _move_on(priority: int, round: int) -> None:
    """Whoever joins the ring from now on joins in this round."""
    rings = FairQueueRing.objects.filter(priority=priority)
    if not rings.filter(round__lt=round).update(round=round) and not rings.exists():
        FairQueueRing.objects.get_or_create(priority=priority, defaults={"round": round})


def adapters_of_next(model_id: int) -> list[RequestAdapter]:
    """What the requests of `model_id` that have waited longest will wear, if it still is usable."""
    oldest = tickets.waiting().filter(model=model_id).order_by("-priority", "queued_at", "id")
    rows = RequestAdapter.objects.filter(request__in=list(oldest[:OVERTAKEN_MAX]))
    usable = (Adapter.State.ACCEPTED, Adapter.State.PUBLISHED)
    return list(rows.exclude(weight=0).filter(adapter__state__in=usable).select_related("adapter"))


def extend_lease(claim: Claim, *, at: datetime) -> Heartbeat:
    """Renew a lease in one conditional update; a request that moved on has no term to renew."""
    held = LeaseTerm.objects.filter(request=claim.request_id, token=claim.token)
    held.update(expires_at=at + LEASE)
    return look(claim)


def look(claim: Claim) -> Heartbeat:
    """Whether a claim still holds and its owner cancelled, without renewing its lease."""
    held = GenerationRequest.objects.filter(id=claim.request_id, lease_token=claim.token)
    row = held.values_list("cancel_requested_at").first()
    return Heartbeat(is_held=row is not None, is_cancel_requested=row is not None and bool(row[0]))


def locked(claim: Claim) -> GenerationRequest:
    """The claimed row under its lock. Raises LeaseLost when the token is no longer the row's."""
    request = (
        GenerationRequest.objects.select_for_update(of=("self",))
        .select_related("model", "owner")
        .filter(id=claim.request_id, lease_token=claim.token)
        .first()
    )
    if request is None:
        raise LeaseLost
    return request


def give_attempt_back(claim: Claim) -> None:
    """By a worker that was cut off from the database until its request was another's: no fault of
    the request's. What ended meanwhile stays as it is."""
    taken_over = GenerationRequest.objects.exclude(lease_token=claim.token).filter(attempts__gt=0)
    going_on = taken_over.filter(
        id=claim.request_id, status__in=(RequestStatus.QUEUED, RequestStatus.RUNNING)
    )
    going_on.update(attempts=F("attempts") - 1)


def fail(claim: Claim, *, code: str, at: datetime, adapters: Sequence[str] = ()) -> None:
    """Give up what a claimed request still lacks; one that was lost meanwhile is left alone.
    `adapters` are the names of those at fault."""
    with transaction.atomic():
        try:
            request = locked(claim)
        except LeaseLost:
            return
        request.note_failed(request.outstanding(), code=code, at=at, adapters=adapters)


def fail_image(claim: Claim, index: int, *, code: str, at: datetime) -> None:
    """Give up one image of a claimed request. Raises LeaseLost."""
    with transaction.atomic():
        locked(claim).note_failed([index], code=code, at=at)


def confirm_cancel(claim: Claim, *, at: datetime) -> None:
    """The worker stopped because its owner asked. Raises LeaseLost."""
    with transaction.atomic():
        locked(claim).cancel(at=at)


def hand_back(claim: Claim, *, at: datetime, fault: str = "") -> None:
    """Let it wait again, what was published of it kept; one that was cancelled meanwhile ends.
    A `fault` that the next attempt may meet too costs this one. Raises LeaseLost."""
    with transaction.atomic():
        request = locked(claim)
        if not fault:
            request.attempts = max(request.attempts - 1, 0)
        wait_again(request, code=fault, at=at)


def wait_again(request: GenerationRequest, *, code: str, at: datetime) -> bool:
    """Whether one that its worker did not end waits again, under its lock: it fails with `code`
    after its last attempt, and ends where its owner cancelled."""
    if request.cancel_requested_at is not None:
        request.cancel(at=at)
    elif request.attempts >= ATTEMPTS_MAX:
        request.note_failed(request.outstanding(), code=code, at=at)
    else:
        request.enqueue(at=at)
        tickets.send_for(request)
        return True
    return False
