"""The page of roles: what waits for a second person, asking for a change, confirming one."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.accounts.roles import role_changes
from config.accounts.roles.role_changes import Kind
from config.accounts.roles.role_permissions import PERMISSIONS
from config.core.pages import SignedIn, page

SHOWN = 30


class RoleForm(forms.Form):
    """Which account, which change, which role."""

    account = forms.CharField(max_length=150, label="Account", help_text="Its name.")
    kind = forms.ChoiceField(label="Change", choices=Kind.choices)
    role = forms.ChoiceField(
        required=False, choices=[("", "none"), *((name, name) for name in PERMISSIONS)]
    )

    def clean_account(self) -> User:
        found = User.objects.filter(username=self.cleaned_data["account"]).first()
        if found is None:
            raise forms.ValidationError("There is no account of that name.")
        return found

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if "account" in said and not said["account"].is_active and said.get("kind") != Kind.OPEN:
            self.add_error("account", "That account is closed.")
        if said.get("kind") in role_changes.WITHOUT_ROLE:
            said["role"] = ""
        elif "role" in said and not said["role"]:
            self.add_error("role", "Choose the role.")
        return said


@require_GET
@page
def roles(request: SignedIn) -> HttpResponse:
    """What waits and what was decided, for everybody who may change roles."""
    return _shown(request, RoleForm())


@require_POST
@page
def ask(request: SignedIn) -> HttpResponse:
    """Ask for a change; a second person confirms it."""
    form = RoleForm(request.POST)
    if not form.is_valid():
        return _shown(request, form, status=400)
    said = form.cleaned_data
    role_changes.ask(
        said["account"], kind=said["kind"], role=said["role"], by=request.user, at=timezone.now()
    )
    messages.success(request, "It waits for a second person now.")
    return redirect("roles")


@require_POST
@page
def confirm(request: SignedIn, change_id: UUID) -> HttpResponse:
    """The second person puts it in force."""
    role_changes.confirm(change_id, by=request.user, at=timezone.now())
    messages.success(request, "It is in force, and mailed to its person.")
    return redirect("roles")


@require_POST
@page
def decline(request: SignedIn, change_id: UUID) -> HttpResponse:
    """Either person drops it."""
    role_changes.decline(change_id, by=request.user, at=timezone.now())
    messages.success(request, "It is declined. Nothing changes.")
    return redirect("roles")


def _shown(request: SignedIn, form: RoleForm, *, status: int = 200) -> HttpResponse:
    if not request.user.has_perm(role_changes.RIGHT):
        raise role_changes.MayNotChangeRoles
    context = {
        "form": form,
        "waiting": role_changes.waiting(at=timezone.now()),
        "decided": role_changes.decided()[:SHOWN],
    }
    return render(request, "house/roles.html", context, status=status)
