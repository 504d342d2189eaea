"""Celery tasks of the outbox. A lost one is sent again, a doubled one finds nothing to do."""

from celery import shared_task

from config.core import clock
from config.core.outbox import draining


@shared_task(ignore_result=True)
def drain() -> None:
    """Do what is due."""
    draining.drain(now=clock.now)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Every few seconds: what lost tickets and dead workers left behind."""
    if draining.is_anything_due(at=clock.now()):
        drain.apply_async()
