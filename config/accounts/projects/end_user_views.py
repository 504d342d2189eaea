"""The pages of whom a project serves: a copy of all that is kept, and erasure."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.accounts.projects import administering, end_user_rights
from config.core.pages import SignedIn, page, private_file


@require_GET
@page
def export(request: SignedIn, project_id: UUID, end_user_id: UUID) -> HttpResponse:
    """All that is kept about somebody, as a file."""
    needed = administering.Role.DEVELOPER
    project, _ = administering.find(project_id, by=request.user, needs=needed)
    row = end_user_rights.find(end_user_id, project=project)
    response = JsonResponse(end_user_rights.export(row), json_dumps_params={"indent": 2})
    response["Content-Disposition"] = f'attachment; filename="end-user-{row.pk}.json"'
    private_file(response)
    return response


@require_POST
@page
def erase(request: SignedIn, project_id: UUID, end_user_id: UUID) -> HttpResponse:
    """Forget somebody."""
    end_user_rights.erase(end_user_id, project_id=project_id, by=request.user, at=timezone.now())
    messages.success(request, "Erased: pictures, texts, and who it was.")
    return redirect("project", project_id)
