"""Celery tasks of the room, all on CPU queues. A doubled one finds nothing to do.

The domain modules are imported inside: this module is loaded by the web process too.
"""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from config.core import clock


@shared_task
def validate(adapter_id: str) -> None:
    from adapters.uploads import check_job

    check_job.validate(UUID(adapter_id), now=clock.now)


@shared_task
def fit(adapter_id: str) -> None:
    from adapters.uploads import check_job

    check_job.fit(UUID(adapter_id), now=clock.now)


@shared_task
def open_review(adapter_id: str) -> None:
    from adapters.publishing import review_request

    review_request.open_review(UUID(adapter_id), at=clock.now())


@shared_task
def requeue_stalled_checks() -> None:
    from adapters.publishing import review_request
    from adapters.uploads import owner_actions

    owner_actions.send_again(at=clock.now())
    owner_actions.clear_quarantine(at=clock.now())
    for adapter_id in review_request.reviews_to_open(before=clock.now() - owner_actions.STALLED):
        open_review.delay(str(adapter_id))
