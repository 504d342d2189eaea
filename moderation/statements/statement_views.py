"""Statements of reasons for their owners, the appeal from one, and policies for everybody."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from moderation.appeals import hearing
from moderation.cases.reviewers import SignedIn, page, problem
from moderation.desk.desk_forms import AppealForm
from moderation.policy.rulebook import policy_document
from moderation.statements import issuing


@require_GET
@page
def statement(request: SignedIn, statement_id: UUID) -> HttpResponse:
    return _page(request, statement_id, AppealForm())


@require_POST
@page
def lodge(request: SignedIn, statement_id: UUID) -> HttpResponse:
    found = issuing.find(statement_id, by=request.user)
    form = AppealForm(request.POST)
    if not form.is_valid():
        return _page(request, statement_id, form, status=422)
    try:
        appeal = hearing.lodge(
            found.decision,
            by=request.user,
            grounds=form.cleaned_data["grounds"],
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return _page(request, statement_id, form, error=error, status=error.status)
    messages.success(request, "Your appeal is lodged. Somebody who did not decide will hear it.")
    return redirect(appeal)


def _page(
    request: SignedIn,
    statement_id: UUID,
    form: AppealForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    found = issuing.find(statement_id, by=request.user)
    context = {
        "statement": found,
        "notice": issuing.notice(found, at=timezone.now()),
        "form": form,
        "error": error,
    }
    return render(request, "moderation/statement.html", context, status=status)


@require_GET
def policy_page(request: HttpRequest, version: str) -> HttpResponse:
    """A policy version, readable without an account; statements link to it."""
    try:
        found = policy_document.find(version)
    except ProofsheetError as error:
        return problem(request, error)
    active = policy_document.active(found.profile)
    context = {"policy": found, "is_active": found.version == active.version, "active": active}
    return render(request, "moderation/policy.html", context)
