"""The page of mails that a house on one host did not send."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from config.core.pages import SignedIn, page
from config.mail import developer_mailbox


@require_GET
@never_cache
@page
def mails(request: SignedIn) -> HttpResponse:
    """For operators, and only where mails go into the folder (`developer_mailbox`)."""
    if not (
        settings.IS_LOCAL
        and settings.EMAIL_BACKEND == developer_mailbox.BACKEND
        and request.user.is_staff
    ):
        raise Http404
    found = developer_mailbox.newest(reader=request.user)
    context = {"mails": found, "folder": settings.PROOFSHEET_MAILS_DIR}
    return render(request, "house/mails.html", context)
