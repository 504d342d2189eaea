"""Mails to the owner of what was decided, and to whoever reported it. They link to the statement or
the receipt and quote nothing of the content.
"""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from moderation.models import Appeal, Report
from moderation.notifications import news
from moderation.public_notices import addresses
from moderation.reports import report_status
from moderation.statements import issuing
from moderation.subjects.actions import RESTRICTIONS


def mail_decision(decision_id: UUID) -> None:
    """Tell the owner of a decision; silent where there is no address."""
    decision = news.told_decisions().filter(id=decision_id).first()
    if decision is None or decision.owner is None or not decision.owner.email:
        return
    subject = issuing.heading(decision)
    context = {"decision": decision, "base_url": settings.PUBLIC_URL}
    if decision.action not in RESTRICTIONS:
        body = render_to_string("moderation/mail_allow.txt", context)
        send_mail(subject, body, None, [decision.owner.email])
        return
    context["notice"] = issuing.notice(decision.statement, at=decision.decided_at)
    context["url"] = settings.PUBLIC_URL + decision.statement.get_absolute_url()
    body = render_to_string("moderation/mail_restriction.txt", context)
    send_mail(subject, body, None, [decision.owner.email])


def mail_appeal(appeal_id: UUID) -> None:
    """Tell the appellant how the appeal ended, and forget an address that was kept for that alone;
    silent where there is none.
    """
    appeal = _appeal(appeal_id)
    outcome = appeal.get_status_display()
    _mail_appellant(appeal, f"Your appeal was decided: {outcome}", "moderation/mail_appeal.txt")
    if appeal.email:
        Appeal.objects.filter(id=appeal.id).update(email="")


def mail_appeal_received(appeal_id: UUID) -> None:
    """Confirm an appeal to whoever lodged it without an account; silent where none can be told."""
    template = "moderation/mail_appeal_received.txt"
    _mail_appellant(_appeal(appeal_id), "Your appeal was received", template)


def _appeal(appeal_id: UUID) -> Appeal:
    related = ("appellant", "report__notifier", "address", "decision", "decision__case")
    return Appeal.objects.select_related(*related).get(id=appeal_id)


def _mail_appellant(appeal: Appeal, subject: str, template: str) -> None:
    person = appeal.appellant.email if appeal.appellant else ""
    to = _address(appeal.report) if appeal.report else appeal.email or person
    if to:
        body = render_to_string(template, {"appeal": appeal, "url": _url_of(appeal)})
        send_mail(subject, body, None, [to])


def _url_of(appeal: Appeal) -> str:
    """Where whoever lodged it reads the outcome."""
    if appeal.address is not None:
        return addresses.appeal_address(addresses.address_of(appeal.decision))
    return settings.PUBLIC_URL + (appeal.report or appeal).get_absolute_url()


def mail_receipt(report_id: UUID) -> None:
    """Confirm that a report came in; silent where there is no address."""
    _mail_notifier(report_id, "Your report was received", "report_received")


def mail_notifier(report_id: UUID) -> None:
    """Tell whoever reported a picture what holds now; silent where there is no address."""
    _mail_notifier(report_id, "Your report was decided", "report_decided")


def _mail_notifier(report_id: UUID, subject: str, template: str) -> None:
    report = Report.objects.select_related("notifier", "case").get(id=report_id)
    if not (address := _address(report)):
        return
    context = {
        "receipt": report_status.receipt(report),
        "url": settings.PUBLIC_URL + report.get_absolute_url(),
    }
    send_mail(
        subject, render_to_string(f"moderation/mail_{template}.txt", context), None, [address]
    )


def _address(report: Report) -> str:
    return report.notifier.email if report.notifier else report.email
