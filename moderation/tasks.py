"""Celery tasks of the room: effect after the undo window, and the mails that follow."""

from uuid import UUID

from celery import shared_task

from config.core import clock
from moderation.account_status import end_user_standing
from moderation.decisions import pending_decisions
from moderation.exports import project_exports
from moderation.notifications import mails
from moderation.screening import advice


@shared_task
def mail_decision(decision_id: str) -> None:
    """Tell the owner of a decision."""
    mails.mail_decision(UUID(decision_id))


@shared_task
def mail_receipt(report_id: str) -> None:
    """Confirm to whoever reported a picture that the report came in."""
    mails.mail_receipt(UUID(report_id))


@shared_task
def mail_notifier(report_id: str) -> None:
    """Tell whoever reported a picture what was decided."""
    mails.mail_notifier(UUID(report_id))


@shared_task
def settle_decisions() -> None:
    """Enforce the decisions whose undo window is over."""
    pending_decisions.settle(at=clock.now())


@shared_task
def end_suspensions() -> None:
    """Let end users return whose suspension has run out."""
    end_user_standing.let_return(at=clock.now())


@shared_task
def mail_appeal(appeal_id: str) -> None:
    """Tell the appellant how the appeal ended."""
    mails.mail_appeal(UUID(appeal_id))


@shared_task
def mail_appeal_received(appeal_id: str) -> None:
    """Confirm an appeal to whoever lodged it without an account."""
    mails.mail_appeal_received(UUID(appeal_id))


@shared_task
def make_export(public_id: str) -> None:
    """Make what a project asked to take out, and tell it."""
    project_exports.make(UUID(public_id), at=clock.now())


@shared_task
def advise(name: str) -> None:
    """Judge what a program asks about; the name says where it waits, and holds none of it."""
    advice.answer(name)
