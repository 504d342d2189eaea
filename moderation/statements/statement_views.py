"""Statements of reasons for their owners."""

from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from moderation.cases.review_cases import SEVERE
from moderation.models import Decision, Statement
from moderation.statements import issuing
from moderation.statements.contest_form import ContestForm
from moderation.subjects import own_pages


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
        "may_try_again": _may_try_again(found, by=request.user),
    }
    return render(request, "moderation/statement.html", context, status=status)


def _may_try_again(found: Statement, *, by: User) -> bool:
    """Whether a prompt of theirs that was no more than refused is still there to be edited."""
    row = found.decision
    is_grave = row.is_severe or issuing.category_of(row).severity >= SEVERE
    is_no_more_than_refused = row.action == Decision.Action.REFUSE and not is_grave
    if row.subject_kind != "prompt" or found.owner_id != by.pk or hasattr(row, "reversed_by"):
        return False
    return is_no_more_than_refused and bool(own_pages.find("prompt", row.subject_id, by=by))
