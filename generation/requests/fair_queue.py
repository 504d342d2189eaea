"""The waiting line, kept in the database: claim, lease, heartbeat, give back.

A Celery message is only a ticket. Whoever draws one claims the best waiting request under
a lock of the line and holds it by a lease whose token fences: a result is published only under the
token that is still in the row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import QuerySet

from adapters.models import Adapter
from config.core import events
from config.core.errors import ProofsheetError
from generation.hardware import hardware_queues
from generation.models import FairQueueRing, GenerationRequest, RequestAdapter, RequestStatus
from generation.request_rules import deficit_round_robin, priority_classes

SCREENING_QUEUE = "cpu"
LEASE = timedelta(seconds=20)
HEARTBEAT_S = 0.5
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


def send_ticket(name: str) -> None:
    """Wake a worker of that queue once the current transaction commits; the sweeper covers a lost
    ticket."""
    events.send("generation.tasks.render", queue=name)


def send_ticket_for(request: GenerationRequest) -> None:
    """`send_ticket` to the queue of the request's model."""
    send_ticket(hardware_queues.queue_of_request(request))


def call_waiting(name: str) -> bool:
    """Wake a worker for a request that waits in that queue, if there is one."""
    if not _waiting().filter(hardware_queues.waiting_in(name)).exists():
        return False
    send_ticket(name)
    return True


def claim(
    *,
    worker: str,
    at: datetime,
    name: str = hardware_queues.ANY,
    resident: frozenset[str] = frozenset(),
    only_interactive: bool = False,
) -> Claim | None:
    """Take the best request that waits in the queue of that `name`: the highest priority
    class, there the user whose turn it is, and of that user's oldest requests one whose adapters
    (`resident`, by digest) are loaded already.
    """
    with transaction.atomic():
        waiting = _waiting().filter(hardware_queues.waiting_in(name))
        priority = waiting.order_by("-priority").values_list("priority", flat=True).first()
        if priority is None or (
            only_interactive and priority_classes.name_of(priority) != "interactive"
        ):
            return None
        row = _locked_ring(priority)
        request = _next_of_turn(waiting, row, resident, at=at)
        if request is None:
            return None  # others took all of it while this one waited for the ring
        token = uuid4()
        request.start(token=token, worker=worker, lease=LEASE, at=at)
    return Claim(request.id, token)


def _locked_ring(priority: int) -> FairQueueRing:
    locked = FairQueueRing.objects.select_for_update().filter(priority=priority)
    if (row := locked.first()) is not None:
        return row
    FairQueueRing.objects.get_or_create(priority=priority)
    return locked.get()


def adapters_of_next(model_id: int) -> list[RequestAdapter]:
    """What the requests of `model_id` that have waited longest will wear, if it still is usable."""
    oldest = _waiting().filter(model=model_id).order_by("-priority", "queued_at", "id")
    rows = RequestAdapter.objects.filter(request__in=list(oldest[:OVERTAKEN_MAX]))
    usable = (Adapter.State.ACCEPTED, Adapter.State.PUBLISHED)
    return list(rows.exclude(weight=0).filter(adapter__state__in=usable).select_related("adapter"))


def _waiting() -> QuerySet[GenerationRequest]:
    return GenerationRequest.objects.filter(status=RequestStatus.QUEUED)


def _next_of_turn(
    waiting: QuerySet[GenerationRequest],
    row: FairQueueRing,
    resident: frozenset[str],
    *,
    at: datetime,
) -> GenerationRequest | None:
    """The request to serve, locked; the ring is moved on. A user whose rows are all locked, because
    they are just being cancelled, is passed by."""
    line = waiting.filter(priority=row.priority)
    heads = (
        line.order_by("owner", "queued_at", "id")
        .distinct("owner")
        .values_list("owner", "predicted_ms")
    )
    costs: dict[int, float] = dict(heads)
    ring = deficit_round_robin.Ring(row.turn, {int(user): ms for user, ms in row.accounts.items()})
    while costs:
        owner, after = deficit_round_robin.serve(ring, costs)
        if request := _best_of(line.filter(owner=owner), resident, at=at):
            row.turn, row.accounts = after.turn, dict(after.accounts)
            row.save()
            return request
        del costs[owner]
    return None


def _best_of(
    waiting: QuerySet[GenerationRequest], resident: frozenset[str], *, at: datetime
) -> GenerationRequest | None:
    """Of a user's oldest waiting requests the one that needs the fewest adapters to be loaded.
    One that has waited for long is not overtaken any more."""
    in_order = waiting.order_by("queued_at", "id")
    oldest = list(in_order.select_for_update(skip_locked=True)[:OVERTAKEN_MAX])
    if not oldest:
        return None
    has_waited = oldest[0].queued_at and at - oldest[0].queued_at > OVERTAKEN_FOR_MAX
    if has_waited or len(oldest) == 1:
        return oldest[0]
    missing = dict.fromkeys((request.id for request in oldest), 0)
    used = RequestAdapter.objects.filter(request__in=oldest).exclude(weight=0)
    for request_id, sha256 in used.values_list("request", "sha256"):
        missing[request_id] += sha256 not in resident
    return min(oldest, key=lambda request: missing[request.id])


def extend_lease(claim: Claim, *, at: datetime) -> Heartbeat:
    """Renew a lease in one conditional update; a row that moved on is not touched."""
    held = GenerationRequest.objects.filter(id=claim.request_id, lease_token=claim.token)
    if not held.update(lease_expires_at=at + LEASE):
        return Heartbeat(is_held=False, is_cancel_requested=False)
    return Heartbeat(True, held.filter(cancel_requested_at__isnull=False).exists())


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
    """The worker stopped because its owner asked."""
    with transaction.atomic():
        try:
            locked(claim).cancel(at=at)
        except LeaseLost:
            return
