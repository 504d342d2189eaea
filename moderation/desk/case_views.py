"""One case: look, claim, renew, give back, decide, undo, confirm."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page
from moderation.cases import detail_access, review_cases, wellbeing
from moderation.cases.reviewers import is_blind
from moderation.decisions import allowed_actions, pending_decisions
from moderation.desk import queue_rows
from moderation.desk.desk_forms import DecisionForm
from moderation.desk.teamwork import case_notes
from moderation.desk.teamwork.teamwork_views import viewers_of
from moderation.models import ReviewCase
from moderation.subjects.actions import ACTIONS
from moderation.subjects.subject import Action

Status = ReviewCase.Status
ESCALATED = "Escalated: a senior moderator takes it over."
UNCLEAR = "Kept as unclear. If it was held, a senior moderator takes it over."


@require_GET
@page
def case(request: SignedIn, case_id: UUID) -> HttpResponse:
    """A reviewer looks at a case that they may see, held or not."""
    return _desk(request, review_cases.find(case_id, by=request.user))


@require_POST
@page
def claim(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Lease the case. What was typed before the lease was lost comes back in the form."""
    found = review_cases.find(case_id, by=request.user)
    try:
        held = review_cases.claim(found, by=request.user, at=timezone.now())
    except ProofsheetError as error:
        return _desk(request, found, kept=_typed(request), error=error)
    if not request.POST.get("explanation"):
        return redirect(held)
    return _desk(request, held, kept=_typed(request))


@require_POST
@page
def release(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Give a held case back to the queue."""
    found = review_cases.find(case_id, by=request.user)
    review_cases.release(found, by=request.user, token=_token(request))
    messages.success(request, "The case is back in the queue.")
    return redirect("moderation:review")


@require_POST
@page
def escalate(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Hand a held case to senior moderators."""
    found = review_cases.find(case_id, by=request.user)
    review_cases.escalate(found, by=request.user, token=_token(request), at=timezone.now())
    messages.success(request, UNCLEAR if found.is_masked else ESCALATED)
    return _next(request)


@require_POST
@page
def renew(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Heartbeat of an open page: the lease runs on for as long as somebody is there."""
    found = review_cases.find(case_id, by=request.user)
    review_cases.renew(found, by=request.user, token=_token(request), at=timezone.now())
    return HttpResponse(status=204)


@require_POST
@page
def decide(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Decide with the button's action; on any conflict the page comes back with what was typed."""
    try:
        return _decided(request, case_id)
    except (
        review_cases.CaseNotFound
    ) as error:  # a report or an escalation can make it severe meanwhile
        context = {"error": error, "kept": _typed(request)}
        return render(request, "moderation/case_gone.html", context, status=error.status)


def _decided(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = review_cases.find(case_id, by=request.user)
    form = DecisionForm(request.POST, case=found)
    action = _action(request)
    if not form.is_valid():
        return _desk(request, found, kept=_typed(request), status=422)
    reason, explanation, token = form.chosen(action)
    try:
        pending_decisions.propose(
            found,
            by=request.user,
            action=action,
            reason=reason,
            explanation=explanation,
            perceived=form.cleaned_data.get("perceived", ""),
            token=token,
            terms=form.terms(action),
            at=timezone.now(),
        )
    except ProofsheetError as error:
        latest = review_cases.find(case_id, by=request.user)
        return _desk(request, latest, kept=_typed(request), error=error)
    return _next(request)


def _next(request: SignedIn) -> HttpResponse:
    """The next case if it is wanted; a break that is due stops that, and not what was done."""
    if "next" not in request.POST:
        return redirect("moderation:review")
    try:
        following = review_cases.claim_next(by=request.user, at=timezone.now())
    except (wellbeing.BreakDue, wellbeing.OnBreak):
        following = None
    return redirect(following or "moderation:review")


@require_POST
@page
def undo(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Take the decision back; the form comes back as it was sent. The case that was taken next goes
    back to the queue.
    """
    found = review_cases.find(case_id, by=request.user)
    taken = pending_decisions.undo(found, by=request.user, at=timezone.now())
    _leave(request)
    messages.success(request, "Undone. Nothing was sent; the case is yours again.")
    ground = "allow_reason" if taken.action == "allow" else "refuse_reason"
    kept: dict[str, Any] = {ground: taken.reason, "explanation": taken.explanation}
    kept |= {"days": taken.days} if taken.days else {}
    kept |= {"adapter": taken.adapter} if taken.adapter else {}
    return _desk(request, review_cases.find(case_id, by=request.user), kept=kept)


@require_POST
@page
def confirm(request: SignedIn, case_id: UUID) -> HttpResponse:
    """A second senior moderator agrees with a severe decision."""
    found = review_cases.find(case_id, by=request.user)
    pending_decisions.confirm(found, by=request.user, at=timezone.now())
    messages.success(request, "Confirmed.")
    return redirect("moderation:review")


@require_POST
@page
def overturn(request: SignedIn, case_id: UUID) -> HttpResponse:
    """A second senior moderator disagrees: the case goes back to the queue."""
    found = review_cases.find(case_id, by=request.user)
    pending_decisions.overturn(found, by=request.user)
    messages.success(request, "Overturned: the case is back in the queue.")
    return redirect("moderation:review")


def _leave(request: SignedIn) -> None:
    """Give the case back from whose page the reviewer went, if it is still held."""
    try:
        left = review_cases.find(UUID(request.POST.get("leave", "")), by=request.user)
        review_cases.release(left, by=request.user, token=_token(request))
    except (ValueError, review_cases.CaseNotFound, review_cases.StaleLease):
        return  # there was none, or it is somebody else's by now


def _action(request: SignedIn) -> Action:
    """The pressed button's; raises allowed_actions.NotOffered."""
    found = next((action for action in ACTIONS if action == request.POST.get("action")), None)
    if found is None:
        raise allowed_actions.NotOffered
    return found


def _token(request: SignedIn) -> UUID:
    try:
        return UUID(request.POST.get("token", ""))
    except ValueError:
        raise review_cases.StaleLease from None


def _typed(request: SignedIn) -> dict[str, Any]:
    """What the reviewer had chosen and written, without the token of a lease that may be gone."""
    names = ("refuse_reason", "allow_reason", "perceived", "days", "adapter", "explanation")
    return {name: request.POST[name] for name in names if request.POST.get(name)}


def _desk(
    request: SignedIn,
    found: ReviewCase,
    *,
    kept: dict[str, Any] | None = None,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    now = timezone.now()
    context = {
        "case": found,
        "pending": getattr(found, "pending_decision", None)
        if found.status == Status.PROPOSED
        else None,
        "undoable": pending_decisions.latest(by=request.user, at=now),
        "following": review_cases.peek(by=request.user, after=found, at=now),
        "line": queue_rows.line(found, by=request.user, at=now),
        "form": DecisionForm(initial=dict(kept or {}), case=found),
        "kept": kept or {},
        "error": error,
        "decision": getattr(found, "decision", None) if found.status == Status.DECIDED else None,
        "notes": case_notes.of_case(found, by=request.user),
    }
    if found.status in (Status.OPEN, Status.LEASED):
        among = list(case_notes.reviewers(found))
        context |= {"reviewers": among} | viewers_of(found, among=among, by=request.user)
    context |= detail_access.context(
        detail_access.of_case(found), by=request.user, at=now, is_blind=is_blind(request)
    )
    answer = error.status if error else status
    return render(request, "moderation/case.html", context, status=answer)
