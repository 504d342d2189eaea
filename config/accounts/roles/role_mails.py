"""Mails to whose role is to change or has changed."""

from uuid import UUID

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string

from config.models import RoleChange

Kind = RoleChange.Kind
CHANGED: dict[str, str] = {
    Kind.SECOND_FACTOR: "second factor",
    Kind.CLOSE: "account",
    Kind.OPEN: "account",
}


def mail(change_id: UUID) -> None:
    """Tell its person what waits, or what holds now; silent where there is no address."""
    rows = RoleChange.objects.select_related("account", "asked_by", "decided_by")
    row = rows.get(pk=change_id)
    if not row.account.email:
        return
    is_in_force = row.status == RoleChange.Status.IN_FORCE
    context = {"change": row, "is_in_force": is_in_force, "base_url": settings.PUBLIC_URL}
    subject = "Your role was changed" if is_in_force else "A change of your role was asked for"
    subject = subject.replace("role", CHANGED.get(row.kind, "role"))
    send_mail(subject, render_to_string("house/mail_role.txt", context), None, [row.account.email])
