"""The page of mails that a house on one host did not send."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from config import mail
from generation.views import SignedIn, page


@require_GET
@never_cache
@page
def mails(request: SignedIn) -> HttpResponse:
    """For operators, and only where mails go into the folder; see config/mail.py."""
    if not (settings.IS_LOCAL and settings.EMAIL_BACKEND == mail.BACKEND and request.user.is_staff):
        raise Http404
    found = mail.newest(reader=request.user)
    context = {"mails": found, "folder": settings.PROOFSHEET_MAILS_DIR}
    return render(request, "house/mails.html", context)
