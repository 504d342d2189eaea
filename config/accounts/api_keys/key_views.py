"""The page of one's API keys."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.accounts.api_keys import key_issuing
from config.accounts.api_keys.key_forms import KeyForm
from config.core.pages import SignedIn, page


@require_GET
@page
def list_keys(request: SignedIn) -> HttpResponse:
    """One's keys, and the form for another."""
    return _shown(request, KeyForm(by=request.user))


@require_POST
@page
@reauthentication_required  # type: ignore[untyped-decorator] # allauth has no types
def make(request: SignedIn) -> HttpResponse:
    """Make a key and show it this once."""
    form = KeyForm(request.POST, by=request.user)
    if not form.is_valid():
        return _shown(request, form, status=400)
    said = form.cleaned_data
    row, key = key_issuing.make(
        by=request.user,
        name=said["name"],
        scopes=said["scopes"],
        days=said["days"],
        at=timezone.now(),
    )
    return _shown(request, KeyForm(by=request.user), made=row, key=key)


@require_POST
@page
def revoke(request: SignedIn, key_id: int) -> HttpResponse:
    """End one of one's own keys."""
    key_issuing.revoke(key_id, by=request.user, at=timezone.now())
    messages.success(request, "The key is revoked. Programs that used it are shut out.")
    return redirect("keys")


def _shown(request: SignedIn, form: KeyForm, *, status: int = 200, **made: object) -> HttpResponse:
    context = {
        "form": form,
        "keys": key_issuing.keys_of(request.user),
        "labels": dict(key_issuing.Scope.choices),
        "now": timezone.now(),
    }
    return render(request, "house/keys.html", context | made, status=status)
