"""Appeals: lodge, list, read one with its evidence, hear and withdraw it."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, uuid_of
from moderation.appeals import appeal_detail, hearing
from moderation.appeals.hearing_form import HearingForm
from moderation.cases import detail_access, detail_views
from moderation.cases.reviewers import is_blind
from moderation.models import Appeal
from moderation.statements import issuing
from moderation.statements.contest_form import ContestForm
from moderation.statements.statement_views import statement_page

LINES_A_LIST = 100


@require_GET
@page
def appeal_list(request: SignedIn) -> HttpResponse:
    """Own appeals and the refusals that could still be contested; and for seniors what waits. Of
    one project, if the address names it."""
    now, chosen = timezone.now(), uuid_of(request.GET.get("project"))
    contestable = issuing.contestable(by=request.user, at=now, project=chosen)[:LINES_A_LIST]
    is_due = request.GET.get("due") == "today"
    waiting = hearing.waiting_for(request.user, project=chosen)
    waiting = hearing.due_today(waiting, at=now) if is_due else waiting
    context = {
        "waiting": waiting[:LINES_A_LIST],
        "is_due": is_due,
        "chosen_project": chosen,
        "mine": hearing.of_project(by=request.user, project=chosen)[:LINES_A_LIST],
        "notices": [issuing.notice(found, at=now) for found in contestable],
        "is_senior": request.user.has_perm("moderation.hear_appeals"),
        "now": now,
    }
    return render(request, "moderation/appeals.html", context)


@require_GET
@page
def appeal(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    """One appeal, for its appellant and for whoever may hear it."""
    found = hearing.find(appeal_id, by=request.user)
    return _page(request, found, HearingForm(appeal=found))


@require_POST
@page
def lodge(request: SignedIn, statement_id: UUID) -> HttpResponse:
    """The owner contests a statement of reasons."""
    found = issuing.find(statement_id, by=request.user)
    form = ContestForm(request.POST)
    if not form.is_valid():
        return statement_page(request, statement_id, form, status=422)
    try:
        appeal = hearing.lodge(
            found.decision,
            by=request.user,
            grounds=form.cleaned_data["grounds"],
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return statement_page(request, statement_id, form, error=error, status=error.status)
    messages.success(request, "Your appeal is lodged. Somebody who did not decide will hear it.")
    return redirect(appeal)


@require_POST
@page
def hear(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    """A senior moderator concludes the appeal; what was typed comes back where that fails."""
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
    """The appellant takes it back."""
    found = hearing.find(appeal_id, by=request.user)
    hearing.withdraw(found, by=request.user, at=timezone.now())
    messages.success(request, "Your appeal is withdrawn. The decision stands.")
    return redirect("moderation:appeals")


@require_POST
@page
def reveal(request: SignedIn, found_id: UUID) -> HttpResponse:
    """Whoever may hear the appeal uncovers its picture, on record."""
    return detail_views.revealed(request, appeal_detail.find_to_hear(found_id, by=request.user))


@require_safe
@page
def derivative(request: SignedIn, found_id: UUID) -> HttpResponse:
    """The appeal's picture, small, grey and blurred."""
    return detail_views.blurred(request, appeal_detail.find_to_hear(found_id, by=request.user))


@require_safe
@page
def picture(request: SignedIn, found_id: UUID) -> HttpResponse:
    """The appeal's picture in full, for whoever revealed it."""
    return detail_views.in_full(request, appeal_detail.find_to_hear(found_id, by=request.user))


def _page(
    request: SignedIn,
    found: Appeal,
    form: HearingForm,
    *,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    """Who is concerned sees how far it is; whoever may hear it sees the evidence and the form."""
    now = timezone.now()
    statement = getattr(found.decision, "statement", None)
    may_hear = request.user.has_perm("moderation.hear_appeals") and hearing.may_hear(
        found, by=request.user
    )
    context = {
        "appeal": found,
        "notice": issuing.notice(statement, at=now) if statement else None,
        "kind": found.decision.subject_kind,
        "is_mine": found.appellant_id == request.user.pk,
        "may_hear": may_hear,
        "is_decider": found.decider_id == request.user.pk,
        "form": form,
        "error": error,
    }
    if may_hear:
        context |= detail_access.context(
            appeal_detail.of_appeal(found), by=request.user, at=now, is_blind=is_blind(request)
        )
    return render(request, "moderation/appeal.html", context, status=status)
