"""Appeals: one's own and those to be heard, one appeal, hearing and withdrawing it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from moderation.appeals import hearing
from moderation.cases import detail_access
from moderation.cases.reviewers import SignedIn, is_blind, page
from moderation.desk.desk_forms import HearingForm
from moderation.models import Appeal
from moderation.statements import issuing

LINES_A_LIST = 100


@require_GET
@page
def appeal_list(request: SignedIn) -> HttpResponse:
    """Own appeals and the refusals that could still be contested; and for seniors what waits."""
    now = timezone.now()
    contestable = issuing.contestable(by=request.user, at=now)[:LINES_A_LIST]
    is_due = request.GET.get("due") == "today"
    waiting = hearing.waiting_for(request.user)
    waiting = hearing.due_today(waiting, at=now) if is_due else waiting
    context = {
        "waiting": waiting[:LINES_A_LIST],
        "is_due": is_due,
        "mine": hearing.of_owner(by=request.user)[:LINES_A_LIST],
        "notices": [issuing.notice(found, at=now) for found in contestable],
        "is_senior": request.user.has_perm("moderation.hear_appeals"),
        "now": now,
    }
    return render(request, "moderation/appeals.html", context)


@require_GET
@page
def appeal(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = hearing.find(appeal_id, by=request.user)
    return _page(request, found, HearingForm(appeal=found))


@require_POST
@page
def hear(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = hearing.find(appeal_id, by=request.user)
    form = HearingForm(request.POST, appeal=found)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        heard = hearing.hear(found, by=request.user, at=timezone.now(), **form.cleaned_data)
    except ProofsheetError as error:
        latest = hearing.find(appeal_id, by=request.user)
        return _page(request, latest, form, error=error, status=error.status)
    messages.success(request, f"{heard.get_status_display()}. The appellant is told.")
    return redirect("moderation:appeals")


@require_POST
@page
def withdraw(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = hearing.find(appeal_id, by=request.user)
    hearing.withdraw(found, by=request.user, at=timezone.now())
    messages.success(request, "Your appeal is withdrawn. The decision stands.")
    return redirect("moderation:appeals")


def _page(
    request: SignedIn,
    found: Appeal,
    form: HearingForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    """The appellant sees how far it is; whoever may hear it sees the evidence and the form."""
    now = timezone.now()
    statement = getattr(found.decision, "statement", None)
    context = {
        "appeal": found,
        "notice": issuing.notice(statement, at=now) if statement else None,
        "kind": found.decision.subject_kind,
        "is_mine": found.appellant_id == request.user.pk,
        "may_hear": hearing.may_hear(found, by=request.user),
        "form": form,
        "error": error,
    }
    if found.appellant_id != request.user.pk:
        context |= detail_access.context(
            detail_access.of_appeal(found), by=request.user, at=now, is_blind=is_blind(request)
        )
    return render(request, "moderation/appeal.html", context, status=status)
