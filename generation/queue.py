"""The waiting line, kept in the database: claim, lease, heartbeat, give back.

A Celery message is only a ticket. Whoever draws one claims the best waiting request under
`SKIP LOCKED` and holds it by a lease whose token fences: a result is published only under the
token that is still in the row.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Count, IntegerField, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from generation import tasks
from generation.models import GenerationRequest, RequestStatus
from provenance.errors import ProofsheetError

QUEUE, SCREENING_QUEUE = "gpu", "cpu"
LEASE = timedelta(seconds=20)
HEARTBEAT_S = 0.5
ATTEMPTS_MAX = 3


class LeaseLost(ProofsheetError):
    """Another worker holds the request now, or it ended: this result must not be published."""

    default_code = "lease_lost"
    default_message = "The request was taken over by another worker."


@dataclass(frozen=True, slots=True)
class Claim:
    request_id: UUID
    token: UUID


@dataclass(frozen=True, slots=True)
class Heartbeat:
    is_held: bool
    is_cancel_requested: bool


def send_ticket() -> None:
    """Wake a worker once the current transaction commits; the sweeper covers a lost ticket."""
    transaction.on_commit(lambda: tasks.render.delay(), robust=True)


def claim(*, worker: str, at: datetime) -> Claim | None:
    """Take the best waiting request: priority, then who has fewest running, then age."""
    running = (
        GenerationRequest.objects.filter(owner=OuterRef("owner"), status=RequestStatus.RUNNING)
        .order_by()
        .values("owner")
        .annotate(count=Count("id"))
        .values("count")
    )
    with transaction.atomic():
        request = (
            GenerationRequest.objects.select_for_update(skip_locked=True)
            .filter(status=RequestStatus.QUEUED)
            .annotate(running=Coalesce(Subquery(running, output_field=IntegerField()), 0))
            .order_by("-priority", "running", "queued_at", "id")
            .first()
        )
        if request is None:
            return None
        token = uuid4()
        request.start(token=token, worker=worker, lease=LEASE, at=at)
    return Claim(request.id, token)


def extend_lease(claim: Claim, *, at: datetime) -> Heartbeat:
    """Renew a lease in one conditional update; a row that moved on is not touched."""
    held = GenerationRequest.objects.filter(
        id=claim.request_id, status=RequestStatus.RUNNING, lease_token=claim.token
    )
    if not held.update(lease_expires_at=at + LEASE):
        return Heartbeat(is_held=False, is_cancel_requested=False)
    return Heartbeat(True, held.filter(cancel_requested_at__isnull=False).exists())


def locked(claim: Claim) -> GenerationRequest:
    """The claimed row under its lock. Raises LeaseLost when the token is no longer the row's."""
    request = (
        GenerationRequest.objects.select_for_update(of=("self",))
        .select_related("model", "owner")
        .filter(id=claim.request_id, status=RequestStatus.RUNNING, lease_token=claim.token)
        .first()
    )
    if request is None:
        raise LeaseLost
    return request


def fail(claim: Claim, *, code: str, at: datetime) -> None:
    """End a claimed request with a code; one that was lost meanwhile is left alone."""
    with transaction.atomic():
        try:
            locked(claim).fail(code=code, at=at)
        except LeaseLost:
            return


def confirm_cancel(claim: Claim, *, at: datetime) -> None:
    """The worker stopped because its owner asked."""
    with transaction.atomic():
        try:
            locked(claim).cancel(at=at)
        except LeaseLost:
            return


def position(request: GenerationRequest) -> int | None:
    """Place in the line from 1, or None when it does not wait for a worker."""
    if request.status != RequestStatus.QUEUED or request.queued_at is None:
        return None
    same = Q(priority=request.priority, queued_at__lt=request.queued_at)
    ahead = Q(priority__gt=request.priority) | same
    return GenerationRequest.objects.filter(ahead, status=RequestStatus.QUEUED).count() + 1
