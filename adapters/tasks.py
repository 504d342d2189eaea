"""Celery tasks of the room, all on CPU queues. A doubled one finds nothing to do.

The domain modules are imported inside: this module is loaded by the web process too.
"""

from __future__ import annotations

from uuid import UUID

from celery import shared_task

from provenance import clock


@shared_task
def validate(adapter_id: str) -> None:
    from adapters import validating

    validating.validate(UUID(adapter_id), now=clock.now)


@shared_task
def fit(adapter_id: str) -> None:
    from adapters import validating

    validating.fit(UUID(adapter_id), now=clock.now)


@shared_task
def open_review(adapter_id: str) -> None:
    from adapters import publishing

    publishing.open_review(UUID(adapter_id), at=clock.now())


@shared_task
def requeue_stalled_checks() -> None:
    from adapters import publishing, uploads

    uploads.send_again(at=clock.now())
    uploads.clear_quarantine(at=clock.now())
    for adapter_id in publishing.reviews_to_open(before=clock.now() - uploads.STALLED):
        open_review.delay(str(adapter_id))
