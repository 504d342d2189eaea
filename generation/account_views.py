"""The account page: links to allauth's pages, and the API token."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST
from rest_framework.authtoken.models import Token

from generation.views import SignedIn, page


@require_GET
@page
def account(request: SignedIn) -> HttpResponse:
    token = Token.objects.filter(user=request.user).first()
    return render(request, "generation/account.html", {"token": token})


@require_POST
@page
def make_token(request: SignedIn) -> HttpResponse:
    """Replace the API token and show the new one this once."""
    Token.objects.filter(user=request.user).delete()
    token = Token.objects.create(user=request.user)
    context = {"token": token, "new_key": token.key}
    return render(request, "generation/account.html", context)


@require_POST
@page
def revoke_token(request: SignedIn) -> HttpResponse:
    Token.objects.filter(user=request.user).delete()
    messages.success(request, "The API token is revoked. Programs that used it are signed out.")
    return redirect("generation:account")
