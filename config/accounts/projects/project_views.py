"""The pages of projects: the list, one's settings, members and limits."""

from __future__ import annotations

from uuid import UUID

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.accounts.api_keys import key_issuing
from config.accounts.projects import administering, notice_logo, project_page
from config.accounts.projects.project_forms import (
    GrantForm,
    MemberForm,
    NewProjectForm,
    OrganisationForm,
    ProjectKeyForm,
    SettingsForm,
)
from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, uuid_of
from config.core.projects import chosen

Role = administering.Role


@require_GET
@page
def projects(request: SignedIn) -> HttpResponse:
    """One's projects, and the form for another."""
    return _list(request, NewProjectForm())


@require_POST
@page
def choose(request: SignedIn) -> HttpResponse:
    """From here on this browser asks for that project; back to where it is asked."""
    found = chosen.choose(request, uuid_of(request.POST.get("project")))
    messages.success(request, f"What you ask for now is of {found}.")
    return redirect("generation:studio")


@require_POST
@page
def make(request: SignedIn) -> HttpResponse:
    """Make a project that one owns."""
    form = NewProjectForm(request.POST)
    if not form.is_valid():
        return _list(request, form, status=400)
    made = administering.make(by=request.user, at=timezone.now(), **form.cleaned_data)
    return redirect("project", made.pk)


def _list(request: SignedIn, form: NewProjectForm, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "projects": administering.projects_of(request.user)}
    return render(request, "house/projects.html", context, status=status)


@require_GET
@page
def project(request: SignedIn, project_id: UUID) -> HttpResponse:
    """A project as its member may see it."""
    return project_page.shown(request, project_id)


@require_POST
@page
def change(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Set what owners set."""
    found, _ = administering.find(project_id, by=request.user, needs=Role.OWNER)
    form = SettingsForm(request.POST, instance=found)
    if not form.is_valid():
        return project_page.shown(request, project_id, status=400, settings_form=form)
    administering.change(project_id, form.cleaned_data, by=request.user)
    messages.success(request, "The project is set so.")
    return redirect("project", project_id)


@require_POST
@page
def set_organisation(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Say how who answers for the project is reached."""
    form = OrganisationForm(request.POST)
    if not form.is_valid():
        return project_page.shown(request, project_id, status=400, organisation_form=form)
    try:
        administering.set_contact(project_id, form.cleaned_data["contact"], by=request.user)
    except administering.OrganisationShared as error:
        form.add_error(None, f"{error.message} {error.advice}")
        return project_page.shown(request, project_id, status=error.status, organisation_form=form)
    messages.success(request, "The organisation is set so.")
    return redirect("project", project_id)


@require_POST
@page
def set_logo(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Its owners give its notices a logo, or without a file take it away."""
    try:
        made = notice_logo.set_logo(project_id, request.FILES.get("logo"), by=request.user)
    except notice_logo.LogoUnusable as error:
        return project_page.shown(request, project_id, status=error.status, logo_error=error)
    messages.success(request, "The logo is set." if made.notice_logo else "The logo is gone.")
    return redirect("project", project_id)


@require_POST
@page
def grant(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Grant limits of its own, by an operator."""
    form = GrantForm(request.POST)
    if not form.is_valid():
        return project_page.shown(request, project_id, status=400, grant_form=form)
    administering.grant(project_id, form.cleaned_data, by=request.user)
    messages.success(request, "The limits are granted.")
    return redirect("project", project_id)


@require_POST
@page
def set_member(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Take in, change, or let go."""
    form = MemberForm(request.POST)
    if not form.is_valid():
        return project_page.shown(request, project_id, status=400, member_form=form)
    said = form.cleaned_data
    try:
        administering.set_member(
            project_id,
            said["username"],
            said["role"] or None,
            by=request.user,
            at=timezone.now(),
        )
    except administering.MemberUnknown as error:
        form.add_error("username", error.message)
        return project_page.shown(request, project_id, status=422, member_form=form)
    messages.success(request, f"{said['username']}: {said['role'] or 'no longer a member'}.")
    if said["username"] == request.user.username and not said["role"]:
        return redirect("projects")
    return redirect("project", project_id)


@require_POST
@page
def close(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Close a project; its keys end."""
    administering.close(project_id, by=request.user, at=timezone.now())
    messages.success(request, "The project is closed, and its keys have ended.")
    return redirect("projects")


@require_POST
@page
@reauthentication_required  # type: ignore[untyped-decorator] # allauth has no types
def make_key(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Make a key of the project and show it this once."""
    found, _ = administering.find(project_id, by=request.user, needs=Role.DEVELOPER)
    form = ProjectKeyForm(request.POST, by=request.user, project=found)
    if not form.is_valid():
        return project_page.shown(request, project_id, status=400, key_form=form)
    now = timezone.now()
    try:
        row, key = key_issuing.make(by=request.user, at=now, project=found, **form.cleaned_data)
    except ProofsheetError as error:
        form.add_error(None, f"{error.message} {error.advice}")
        return project_page.shown(request, project_id, status=error.status, key_form=form)
    return project_page.shown(request, project_id, made=row, key=key)


@require_POST
@page
@reauthentication_required  # type: ignore[untyped-decorator] # allauth has no types
def rotate_key(request: SignedIn, project_id: UUID, key_id: int) -> HttpResponse:
    """A successor for a key, shown this once; the old one ends after the overlap."""
    row = project_page.key_of(project_id, key_id, by=request.user)
    hours = request.POST.get("overlap_hours", "24")
    wanted = int(hours) if hours.isdecimal() and len(hours) < 5 else -1
    made, key = key_issuing.rotate(row, overlap_hours=wanted, at=timezone.now())
    return project_page.shown(request, project_id, made=made, key=key)


@require_POST
@page
def revoke_key(request: SignedIn, project_id: UUID, key_id: int) -> HttpResponse:
    """End a key of the project."""
    row = project_page.key_of(project_id, key_id, by=request.user)
    row.revoked_at = timezone.now()
    row.save(update_fields=["revoked_at"])
    messages.success(request, "The key is revoked. Programs that used it are shut out.")
    return redirect("project", project_id)
