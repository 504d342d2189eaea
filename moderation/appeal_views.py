"""Appeals: one's own and those to be heard, one appeal, hearing and withdrawing it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from moderation import appeals, exhibits, statements
from moderation.forms import HearingForm
from moderation.models import Appeal
from moderation.pages import SignedIn, is_blind, page
from provenance.errors import ProofsheetError

LINES_A_LIST = 100


@require_GET
@page
def appeal_list(request: SignedIn) -> HttpResponse:
    """Own appeals and the refusals that could still be contested; and for seniors what waits."""
    now = timezone.now()
    contestable = statements.contestable(by=request.user, at=now)[:LINES_A_LIST]
    is_due = request.GET.get("due") == "today"
    waiting = appeals.waiting_for(request.user)
    waiting = appeals.due_today(waiting, at=now) if is_due else waiting
    context = {
        "waiting": waiting[:LINES_A_LIST],
        "is_due": is_due,
        "mine": appeals.of_owner(by=request.user)[:LINES_A_LIST],
        "notices": [statements.notice(found, at=now) for found in contestable],
        "is_senior": request.user.has_perm("moderation.hear_appeals"),
        "now": now,
    }
    return render(request, "moderation/appeals.html", context)


@require_GET
@page
def appeal(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = appeals.find(appeal_id, by=request.user)
    return _page(request, found, HearingForm(appeal=found))


@require_POST
@page
def hear(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = appeals.find(appeal_id, by=request.user)
    form = HearingForm(request.POST, appeal=found)
    if not form.is_valid():
        return _page(request, found, form, status=422)
    try:
        heard = appeals.hear(found, by=request.user, at=timezone.now(), **form.cleaned_data)
    except ProofsheetError as error:
        latest = appeals.find(appeal_id, by=request.user)
        return _page(request, latest, form, error=error, status=error.status)
    messages.success(request, f"{heard.get_status_display()}. The appellant is told.")
    return redirect("moderation:appeals")


@require_POST
@page
def withdraw(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = appeals.find(appeal_id, by=request.user)
    appeals.withdraw(found, by=request.user, at=timezone.now())
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
        "notice": statements.notice(statement, at=now) if statement else None,
        "kind": found.decision.subject_kind,
        "is_mine": found.appellant_id == request.user.pk,
        "may_hear": appeals.may_hear(found, by=request.user),
        "form": form,
        "error": error,
    }
    if found.appellant_id != request.user.pk:
        context |= exhibits.context(
            exhibits.of_appeal(found), by=request.user, at=now, is_blind=is_blind(request)
        )
    return render(request, "moderation/appeal.html", context, status=status)
