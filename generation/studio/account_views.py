"""The account page: what was used, and links to what else there is of an account."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.core.pages import SignedIn, page
from generation.requests import admission


@require_GET
@page
def account(request: SignedIn) -> HttpResponse:
    """Name and address, what was used of what one may use, and links to the rest."""
    context = {"usage": admission.usage_of(request.user, at=timezone.now())}
    return render(request, "generation/account.html", context)
