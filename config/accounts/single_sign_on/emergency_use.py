"""An emergency account was used: the log keeps it, and whoever may change roles gets a mail."""

from __future__ import annotations

import logging
from datetime import datetime
from uuid import uuid4

from django.conf import settings
from django.contrib.auth.models import Permission, User
from django.core.mail import send_mail
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string

from config.accounts.roles import role_changes
from config.core import events
from provenance.log import transparency_log

logger = logging.getLogger(__name__)
EMERGENCY_USED = "account.emergency"


@transaction.atomic
def tell(account: User, *, at: datetime) -> None:
    """The public log says that it happened, and not which account it was."""
    logger.warning("The emergency account %s was signed in to", account.pk)
    transparency_log.append(kind=EMERGENCY_USED, subject=uuid4(), body={}, at=at)
    events.send("config.tasks.mail_emergency_use", account.pk, at.isoformat())


def mail(account_id: int, at: str) -> None:
    """To everybody who may change roles, whoever it was among them."""
    app, codename = role_changes.RIGHT.split(".")
    right = Permission.objects.get(content_type__app_label=app, codename=codename)
    told = User.objects.filter(Q(groups__permissions=right) | Q(pk=account_id), is_active=True)
    words = {
        "name": User.objects.get(pk=account_id).get_username(),
        "at": datetime.fromisoformat(at),
        "base_url": settings.PUBLIC_URL,
    }
    text = render_to_string("house/mail_emergency.txt", words)
    for address in sorted(set(told.exclude(email="").values_list("email", flat=True))):
        send_mail("An emergency account was used", text, None, [address])
