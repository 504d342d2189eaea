"""The forms of a project's overlay on the policy: propose, put in force, retire."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.accounts.projects import administering, project_page
from config.accounts.projects.project_forms import OverlayForm
from config.core.pages import SignedIn, page
from moderation.account_status import audiences
from moderation.policy import overlays
from moderation.policy.rulebook.overlay import OverlayInvalid

Role = administering.Role


@require_POST
@page
def propose(request: SignedIn, project_id: UUID) -> HttpResponse:
    """A new version; an owner puts it in force."""
    found, _ = administering.find(project_id, by=request.user, needs=Role.DEVELOPER)
    form = OverlayForm(request.POST)
    if form.is_valid():
        try:
            made = overlays.propose(
                found,
                form.cleaned_data["document"],
                rationale=form.cleaned_data["rationale"],
                profile=audiences.profile_for(found),
                by=request.user,
                at=timezone.now(),
            )
        except OverlayInvalid as error:
            form.add_error("document", f"{error.message} {error.advice}")
        else:
            messages.success(request, f"Overlay {made.number} is proposed.")
            return redirect("project", project_id)
    return project_page.shown(request, project_id, status=422, overlay_form=form)


@require_POST
@page
def activate(request: SignedIn, project_id: UUID, overlay_number: int) -> HttpResponse:
    """Put a version in force."""
    found, _ = administering.find(project_id, by=request.user, needs=Role.OWNER)
    overlays.activate(found, overlay_number, by=request.user, at=timezone.now())
    messages.success(request, f"Overlay {overlay_number} is in force.")
    return redirect("project", project_id)


@require_POST
@page
def retire(request: SignedIn, project_id: UUID, overlay_number: int) -> HttpResponse:
    """Take a version out of force: the house's policy holds as it is."""
    found, _ = administering.find(project_id, by=request.user, needs=Role.OWNER)
    overlays.retire(found, overlay_number, at=timezone.now())
    messages.success(request, f"Overlay {overlay_number} is retired.")
    return redirect("project", project_id)
