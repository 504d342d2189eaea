"""Celery tasks of the provenance room."""

import logging

from celery import shared_task

from config.core import clock
from provenance.assets import waiting_copies
from provenance.log import cosigning, freshness, rollback, timestamping, transparency_log

logger = logging.getLogger(__name__)


@shared_task
def sequence_log() -> None:
    """Give waiting log entries their place; beat sends this every second."""
    now = clock.now()
    try:
        cosigning.look_once(at=now)
        transparency_log.sequence(at=now)
        freshness.refresh(at=now)
    except rollback.LogBehind as stopped:
        logger.critical("%s %s", stopped.message, stopped.advice)  # each second, until it is mended


@shared_task
def cosign_log() -> None:
    """Ask the witnesses that settings name; beat sends this every other second."""
    cosigning.collect(at=clock.now())


@shared_task
def date_log() -> None:
    """Have a checkpoint and waiting copies timestamped, where settings name an authority; every
    minute.
    """
    timestamping.stamp(at=clock.now())
    waiting_copies.stamp(at=clock.now())
