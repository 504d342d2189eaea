"""The page on which a project's members take out what is the project's."""

from __future__ import annotations

from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from config.core.projects.models import Project
from moderation.exports import project_exports
from moderation.exports.export_views import EXPORTS_A_PAGE, ExportForm
from moderation.exports.project_export_api import answer


class ProjectExportForm(ExportForm):
    """What to take out of the project; which one, the address says."""

    project = None  # type: ignore[assignment] # how Django's forms drop a field of their parent


@require_GET
@page
def project_exports_page(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Members read which exports there are; who acts in the project asks for one."""
    today = timezone.now().date()
    form = ProjectExportForm(initial={"first": today.replace(day=1), "last": today})
    return _page(request, project_id, form)


@require_POST
@page
def ask(request: SignedIn, project_id: UUID) -> HttpResponse:
    """Ask for one; a worker makes it."""
    form = ProjectExportForm(request.POST)
    if not form.is_valid():
        return _page(request, project_id, form, status=422)
    said = form.cleaned_data
    try:
        project_exports.ask(
            project_id,
            said["kind"],
            said["first"],
            said["last"],
            by=request.user,
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return _page(request, project_id, form, error=error, status=error.status)
    messages.success(request, "It is being made. It can be fetched here in a moment.")
    return redirect("moderation:project-exports", project_id)


@require_GET
@page
def fetch(request: SignedIn, project_id: UUID, export_id: UUID) -> HttpResponse:
    """One archive."""
    return answer(*project_exports.file_of(project_id, export_id, by=request.user))


def _page(
    request: SignedIn,
    project_id: UUID,
    form: forms.Form,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    made = project_exports.of_project(project_id, by=request.user)
    context = {
        "project": Project.objects.get(pk=project_id),
        "made": made[:EXPORTS_A_PAGE],
        "form": form,
        "acts": project_exports.may_ask(project_id, by=request.user),
        "kept_days": project_exports.KEPT.days,
        "error": error,
    }
    return render(request, "moderation/project_exports.html", context, status=status)
