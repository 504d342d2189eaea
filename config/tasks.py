"""Celery tasks of the house itself."""

from uuid import UUID

from celery import shared_task

from config.accounts.roles import role_mails


@shared_task(ignore_result=True)
def mail_role_change(change_id: str) -> None:
    """Tell the person of a change of role by mail."""
    role_mails.mail(UUID(change_id))
