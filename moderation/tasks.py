"""Celery tasks of the room: effect after the undo window, and the mails that follow."""

from uuid import UUID

from celery import shared_task

from config.core import clock


@shared_task
def mail_decision(decision_id: str) -> None:
    from moderation.notifications import mails

    mails.mail_decision(UUID(decision_id))


@shared_task
def mail_receipt(notice_id: str) -> None:
    from moderation.notifications import mails

    mails.mail_receipt(UUID(notice_id))


@shared_task
def mail_notifier(notice_id: str) -> None:
    from moderation.notifications import mails

    mails.mail_notifier(UUID(notice_id))


@shared_task
def settle_decisions() -> None:
    from moderation.decisions import pending_decisions

    pending_decisions.settle(at=clock.now())


@shared_task
def mail_appeal(appeal_id: str) -> None:
    from moderation.notifications import mails

    mails.mail_appeal(UUID(appeal_id))
