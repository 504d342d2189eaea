"""What an attempt means: for the delivery, and for the endpoint that it was sent to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from config.core import events
from config.core.watching.instruments import WEBHOOK_ATTEMPTS
from config.webhooks.models import Delivery, DeliveryAttempt, Endpoint
from config.webhooks.standard import retry_schedule

FAILING_MAX = timedelta(days=4)
FAILURES_MIN = 10
"""An endpoint that fails for so long, and so often, is switched off and its owners are told."""

_GONE = 410


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """What one attempt met with; without an answer there is a problem's code and no status."""

    sent_at: datetime
    took_ms: int
    status: int | None
    retry_after: str
    problem: str

    @property
    def is_success(self) -> bool:
        """A redirect is none: whoever moved tells us the new address."""
        return self.status is not None and 200 <= self.status < 300


@transaction.atomic
def note(sent: Delivery, answer: AttemptResult, *, token: UUID, at: datetime, luck: float) -> bool:
    """Write down what came of it, and what follows; whether the endpoint is proven now.

    The attempt is written in any case; where another worker has taken the delivery over since, that
    one says what follows.
    """
    WEBHOOK_ATTEMPTS.labels("delivered" if answer.is_success else "failed").inc()
    endpoint = Endpoint.objects.select_for_update(no_key=True).filter(id=sent.endpoint_id).first()
    row = Delivery.objects.select_for_update().filter(id=sent.id).first()
    if endpoint is None or row is None:
        return False  # deleted meanwhile
    DeliveryAttempt.objects.create(
        delivery=row,
        sent_at=answer.sent_at,
        took_ms=answer.took_ms,
        status=answer.status,
        problem=answer.problem,
    )
    if row.lease_token != token:
        return endpoint.is_proven
    if answer.is_success:
        row.end(Delivery.State.DELIVERED, at=at)
        endpoint.note_success(took_ms=answer.took_ms)
    else:
        _fail(row, endpoint, answer, at=at, luck=luck)
    return endpoint.is_proven


def _fail(
    row: Delivery, endpoint: Endpoint, answer: AttemptResult, *, at: datetime, luck: float
) -> None:
    asked = retry_schedule.asked_wait(answer.retry_after, at=at)
    delay = retry_schedule.delay_after(row.attempts, luck=luck)
    if delay is None:
        row.end(Delivery.State.FAILED, at=at)
    else:
        row.put_off(until=at + max(delay, asked))  # the sweep sends its ticket then
    rest = retry_schedule.rest_after(endpoint.failures + 1)
    if answer.status in retry_schedule.THROTTLES:
        rest = max(rest, asked)
    endpoint.note_failure(rest=rest, at=at)
    if endpoint.is_on and (because := _end_of(endpoint, answer, at=at)):
        endpoint.switch_off(because, at=at)
        events.mail("config.webhooks.tasks.mail_switched_off", str(endpoint.id))


def _end_of(endpoint: Endpoint, answer: AttemptResult, *, at: datetime) -> str:
    """Why it is to be switched off; empty while it is not."""
    if answer.status == _GONE:
        return Endpoint.OffBecause.GONE
    since = endpoint.failing_since or at
    is_long = since <= at - FAILING_MAX and endpoint.failures >= FAILURES_MIN
    return Endpoint.OffBecause.FAILING if is_long else ""
