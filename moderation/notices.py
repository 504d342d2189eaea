"""Mails to the owner of what was decided. They link to the statement and quote nothing of the
content.
"""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from moderation import statements
from moderation.models import Appeal, Decision

SUBJECTS = {
    "refuse": "Your {kind} was refused",
    "allow": "Your {kind} was allowed",
}


def mail_decision(decision_id: UUID) -> None:
    """Tell the owner of a decision; silent where there is no address."""
    decision = Decision.objects.select_related("owner").get(id=decision_id)
    if decision.owner is None or not decision.owner.email:
        return
    context = {"decision": decision, "base_url": settings.PUBLIC_URL}
    if decision.action == Decision.Action.REFUSE:
        context |= {
            "category": statements.category_of(decision),
            "deadline": statements.deadline(decision),
            "url": settings.PUBLIC_URL + decision.statement.get_absolute_url(),
        }
    subject = SUBJECTS[decision.action].format(kind=decision.subject_kind)
    body = render_to_string(f"moderation/mail_{decision.action}.txt", context)
    send_mail(subject, body, None, [decision.owner.email])


def mail_appeal(appeal_id: UUID) -> None:
    """Tell the appellant how the appeal ended; silent where there is no address."""
    appeal = Appeal.objects.select_related("appellant", "decision").get(id=appeal_id)
    if appeal.appellant is None or not appeal.appellant.email:
        return
    context = {"appeal": appeal, "url": settings.PUBLIC_URL + appeal.get_absolute_url()}
    body = render_to_string("moderation/mail_appeal.txt", context)
    send_mail(
        f"Your appeal was decided: {appeal.get_status_display()}",
        body,
        None,
        [appeal.appellant.email],
    )
