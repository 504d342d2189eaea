"""Statements of reasons for their owners."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from moderation.statements import issuing
from moderation.statements.contest_form import ContestForm


@require_GET
@page
def statement(request: SignedIn, statement_id: UUID) -> HttpResponse:
    """The owner reads why something was restricted, and may contest it here."""
    return statement_page(request, statement_id, ContestForm())


def statement_page(
    request: SignedIn,
    statement_id: UUID,
    form: ContestForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    """A statement with the form that contests it, and what was wrong with what was sent."""
    found = issuing.find(statement_id, by=request.user)
    context = {
        "statement": found,
        "notice": issuing.notice(found, at=timezone.now()),
        "form": form,
        "error": error,
    }
    return render(request, "moderation/statement.html", context, status=status)
