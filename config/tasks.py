from uuid import UUID

from celery import shared_task


@shared_task(ignore_result=True)
def mail_role_change(change_id: str) -> None:
    from config.accounts.roles import role_mails

    role_mails.mail(UUID(change_id))
