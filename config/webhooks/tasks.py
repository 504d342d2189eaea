"""Celery tasks of webhooks. A lost one is sent again, a doubled one finds nothing to do."""

from uuid import UUID

from celery import shared_task

from config.core import clock
from config.webhooks import endpoint_mails
from config.webhooks.deliveries import sending


@shared_task(ignore_result=True)
def deliver(endpoint_id: str) -> None:
    """Send what is due at one endpoint."""
    sending.deliver(UUID(endpoint_id), now=clock.now)


@shared_task(ignore_result=True)
def sweep() -> None:
    """Every few seconds: what lost tickets, dead workers and ended rests left behind."""
    sending.sweep(at=clock.now())


@shared_task(ignore_result=True)
def mail_switched_off(endpoint_id: str) -> None:
    """Tell a project's owners that an endpoint is sent nothing any more."""
    endpoint_mails.mail_switched_off(UUID(endpoint_id))
