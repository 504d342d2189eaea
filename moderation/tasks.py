"""Celery tasks of the room: the mails that follow a decision and an appeal."""

from uuid import UUID

from celery import shared_task


@shared_task
def mail_decision(decision_id: str) -> None:
    from moderation import notices

    notices.mail_decision(UUID(decision_id))


@shared_task
def mail_appeal(appeal_id: str) -> None:
    from moderation import notices

    notices.mail_appeal(UUID(appeal_id))
