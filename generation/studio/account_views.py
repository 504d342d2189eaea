"""The account page: links to what else there is of an account."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from config.core.pages import SignedIn, page


@require_GET
@page
def account(request: SignedIn) -> HttpResponse:
    """Whoever is signed in sees their name and address, and links to the rest of the account."""
    return render(request, "generation/account.html")
