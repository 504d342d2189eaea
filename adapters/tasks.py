"""Celery tasks of the room, all on CPU queues. A doubled one finds nothing to do."""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from adapters.publishing import review_request
from adapters.uploads import check_job, owner_actions
from config.core import clock


@shared_task
def validate(adapter_id: str) -> None:
    """Check one upload."""
    check_job.validate(UUID(adapter_id), now=clock.now)


@shared_task
def fit(adapter_id: str) -> None:
    """Make one derived adapter out of its parent, then check it."""
    check_job.fit(UUID(adapter_id), now=clock.now)


@shared_task
def open_review(adapter_id: str) -> None:
    """Open the case of an adapter whose owner asked for it to become public."""
    review_request.open_review(UUID(adapter_id), at=clock.now())


@shared_task
def requeue_stalled_checks() -> None:
    """What was lost: checks, files that no upload names, reviews that were never opened."""
    owner_actions.send_again(at=clock.now())
    owner_actions.clear_quarantine(at=clock.now())
    for adapter_id in review_request.reviews_to_open(before=clock.now() - owner_actions.STALLED):
        open_review.delay(str(adapter_id))
