"""Celery tasks of the provenance room."""

from celery import shared_task
from django.utils import timezone

from provenance import log


@shared_task
def sequence_log() -> None:
    """Give waiting log entries their place; beat sends this every second."""
    log.sequence(at=timezone.now())
