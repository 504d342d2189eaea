"""Celery tasks of the provenance room."""

from celery import shared_task

from provenance import clock, copies, cosigning, freshness, log, timestamps


@shared_task
def sequence_log() -> None:
    """Give waiting log entries their place; beat sends this every second."""
    now = clock.now()
    log.sequence(at=now)
    freshness.refresh(at=now)


@shared_task
def cosign_log() -> None:
    """Ask the witnesses that settings name; beat sends this every other second."""
    cosigning.collect(at=clock.now())


@shared_task
def date_log() -> None:
    """Have a checkpoint and waiting copies timestamped, where settings name an authority; every
    minute.
    """
    timestamps.stamp(at=clock.now())
    copies.stamp(at=clock.now())
