"""Celery tasks of the house itself."""

from uuid import UUID

from celery import shared_task

from config.accounts.roles import role_mails
from config.accounts.single_sign_on import emergency_use
from config.core import clock, retention


@shared_task(ignore_result=True)
def mail_role_change(change_id: str) -> None:
    """Tell the person of a change of role by mail."""
    role_mails.mail(UUID(change_id))


@shared_task(ignore_result=True)
def mail_emergency_use(account_id: int, at: str) -> None:
    """Tell whoever may change roles that an emergency account was used."""
    emergency_use.mail(account_id, at)


@shared_task(ignore_result=True)
def forget() -> None:
    """Every hour: end what was to be kept for a while only."""
    retention.forget_all(at=clock.now())
