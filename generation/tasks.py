"""Celery tasks of the room. A lost one is sent again, a doubled one finds nothing to do.

The domain modules are imported inside: this module is loaded by the web process too, which must
not import torch.
"""

from __future__ import annotations

from uuid import UUID

from celery import shared_task
from django.utils import timezone


@shared_task
def screen_prompt(request_id: str) -> None:
    from generation import intake

    intake.screen(UUID(request_id), at=timezone.now())


@shared_task
def render() -> None:
    from generation import worker

    worker.work_one(now=timezone.now)


@shared_task
def requeue_stalled() -> None:
    from generation import sweeper

    sweeper.sweep(at=timezone.now())
