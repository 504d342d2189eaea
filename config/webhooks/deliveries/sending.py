"""Sending what is due at one endpoint: taken under a lease, sent outside any transaction, noted.

Who dies between sending and noting leaves a lease that runs out; then the same event goes out again
with the same id. An endpoint that is slow or dead costs the others nothing: its deliveries are
under way one at a time, in places of their own, and while it fails it rests.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from time import monotonic, perf_counter
from uuid import UUID, uuid4

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, Q

from config.core.clock import Clock
from config.core.errors import ProofsheetError
from config.core.net import safe_fetch
from config.core.watching import tracing
from config.webhooks import endpoint_addresses, signing_secrets
from config.webhooks.deliveries import outcomes, writing
from config.webhooks.models import Delivery, Endpoint
from config.webhooks.standard.signatures import SigningKey

TIMEOUT_S = 15.0
LEASE = timedelta(seconds=60)
ROUND_S = 10.0
"""For how long one ticket goes on before others have their turn."""

SLOW_PLACES = 16
"""Threads of one process for endpoints that have not just answered quickly: half of them all."""

_slow_places = BoundedSemaphore(SLOW_PLACES)


@dataclass(frozen=True, slots=True)
class DeliveryClaim:
    """A delivery that is ours until its lease runs out."""

    delivery: Delivery
    token: UUID


def deliver(endpoint_id: UUID, *, now: Clock) -> None:
    """Send what is due at an endpoint until nothing is, or others are at it."""
    is_proven = Endpoint.objects.filter(id=endpoint_id, is_proven=True).exists()
    if is_proven:
        _deliver(endpoint_id, was_proven=True, now=now)
    elif _slow_places.acquire(blocking=False):  # where there is none, the sweeper asks again
        try:
            _deliver(endpoint_id, was_proven=False, now=now)
        finally:
            _slow_places.release()


def _deliver(endpoint_id: UUID, *, was_proven: bool, now: Clock) -> None:
    """One ticket's turn; what is left gets another one, perhaps in other places."""
    ends_at_s = monotonic() + ROUND_S
    while (claim := take(endpoint_id, at=now())) is not None:
        is_proven = _send(claim, now=now)
        if is_proven != was_proven or monotonic() > ends_at_s:
            writing.ask_to_deliver(endpoint_id)
            return


@transaction.atomic
def take(endpoint_id: UUID, *, at: datetime) -> DeliveryClaim | None:
    """The delivery that has been due the longest, if the endpoint may be sent one more now."""
    found = Endpoint.objects.select_for_update(no_key=True).filter(id=endpoint_id, off_at=None)
    endpoint = found.first()
    if endpoint is None or endpoint.is_resting(at=at):
        return None
    under_way = endpoint.deliveries.filter(lease_token__isnull=False, lease_until__gt=at)
    if under_way.count() >= endpoint.at_once:
        return None
    row = endpoint.deliveries.filter(_due(at)).order_by("due_at", "id").first()
    if row is None:
        return None
    row.endpoint, token = endpoint, uuid4()
    row.take(token=token, until=at + LEASE)
    return DeliveryClaim(row, token)


def _due(at: datetime) -> Q:
    is_free = Q(lease_until=None) | Q(lease_until__lte=at)
    return is_free & Q(state=Delivery.State.WAITING, due_at__lte=at)


@tracing.apart()
def _send(claim: DeliveryClaim, *, now: Clock) -> bool:
    """Whether the endpoint is proven now."""
    row, at = claim.delivery, now()
    tracing.follow(row.traceparent)
    keys = signing_secrets.keys_of(row.endpoint, at=at)
    if not connection.in_atomic_block:
        connection.close()  # others may have it while the other side thinks
    with tracing.step("deliver webhook"):
        answer = attempt(row, keys=keys, at=at)
    return outcomes.note(row, answer, token=claim.token, at=now(), luck=random.random())


def attempt(row: Delivery, *, keys: list[SigningKey], at: datetime) -> outcomes.AttemptResult:
    """Send a delivery once, signed for this attempt; whatever goes wrong is in the answer."""
    started = perf_counter()
    status, retry_after, problem = None, "", ""
    body = row.body.encode()
    said = signing_secrets.headers_of(row, body, keys=keys, at=at)
    try:
        endpoint_addresses.check(row.endpoint.url)
        told = safe_fetch.post(
            row.endpoint.url, body, headers=said, limits=_limits(row.endpoint.url)
        )
        status, retry_after = told.status, told.retry_after
    except ProofsheetError as error:
        problem = error.code
    took_ms = round((perf_counter() - started) * 1000)
    return outcomes.AttemptResult(at, took_ms, status, retry_after, problem)


def _limits(url: str) -> safe_fetch.Limits:
    may_connect = endpoint_addresses.may_connect(url)
    return safe_fetch.Limits(max_bytes=0, seconds=TIMEOUT_S, may_connect=may_connect)


def sweep(*, at: datetime) -> None:
    """Tickets for every endpoint that something is due at: lost ones, ended rests and leases."""
    due = Delivery.objects.filter(_due(at), endpoint=OuterRef("pk"))
    is_awake = Q(rests_until=None) | Q(rests_until__lte=at)
    waiting = Endpoint.objects.filter(is_awake, Exists(due), off_at=None)
    for endpoint_id in waiting.order_by("?").values_list("id", flat=True):
        writing.ask_to_deliver(endpoint_id)
