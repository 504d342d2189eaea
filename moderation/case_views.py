"""One case: look, claim, renew, give back, decide; its picture, blurred until it is revealed."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET, require_POST, require_safe

from moderation import cases, decisions, intents, lines, pictures
from moderation.dossiers import compile_dossier
from moderation.forms import DecisionForm
from moderation.models import Decision, Intent, ReviewCase
from moderation.pages import SignedIn, page, private_bytes
from moderation.subjects import Action
from provenance.errors import ProofsheetError


@require_GET
@page
def case(request: SignedIn, case_id: UUID) -> HttpResponse:
    return _desk(request, cases.find(case_id, by=request.user))


@require_POST
@page
def claim(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Lease the case. What was typed before the lease was lost comes back in the form."""
    found = cases.find(case_id, by=request.user)
    try:
        held = cases.claim(found, by=request.user, at=timezone.now())
    except ProofsheetError as error:
        return _desk(request, found, kept=_typed(request), error=error)
    if not request.POST.get("explanation"):
        return redirect(held)
    return _desk(request, held, kept=_typed(request))


@require_POST
@page
def release(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = cases.find(case_id, by=request.user)
    cases.release(found, by=request.user, token=_token(request))
    messages.success(request, "The case is back in the queue.")
    return redirect("moderation:review")


@require_POST
@page
def escalate(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = cases.find(case_id, by=request.user)
    cases.escalate(found, by=request.user, token=_token(request))
    messages.success(request, "Escalated: a senior moderator takes it over.")
    return _next(request)


@require_POST
@page
def renew(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Heartbeat of an open page: the lease runs on for as long as somebody is there."""
    found = cases.find(case_id, by=request.user)
    cases.renew(found, by=request.user, token=_token(request), at=timezone.now())
    return HttpResponse(status=204)


@require_POST
@page
def decide(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Decide with the button's action; on any conflict the page comes back with what was typed."""
    found = cases.find(case_id, by=request.user)
    form = DecisionForm(request.POST, case=found)
    action: Action = "refuse" if request.POST.get("action") == "refuse" else "allow"
    if not form.is_valid():
        return _desk(request, found, kept=_typed(request), status=422)
    reason, explanation, token = form.chosen(action)
    try:
        intents.propose(
            found,
            by=request.user,
            action=action,
            reason=reason,
            explanation=explanation,
            token=token,
            at=timezone.now(),
        )
    except ProofsheetError as error:
        latest = cases.find(case_id, by=request.user)
        return _desk(request, latest, kept=_typed(request), error=error)
    return _next(request)


def _next(request: SignedIn) -> HttpResponse:
    if "next" in request.POST and (
        following := cases.claim_next(by=request.user, at=timezone.now())
    ):
        return redirect(following)
    return redirect("moderation:review")


@require_POST
@page
def undo(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Take the decision back; the form comes back as it was sent."""
    found = cases.find(case_id, by=request.user)
    taken = intents.undo(found, by=request.user, at=timezone.now())
    messages.success(request, "Undone. Nothing was sent; the case is yours again.")
    kept = {f"{taken.action}_reason": taken.reason, "explanation": taken.explanation}
    return _desk(request, cases.find(case_id, by=request.user), kept=kept)


@require_POST
@page
def confirm(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = cases.find(case_id, by=request.user)
    intents.confirm(found, by=request.user, at=timezone.now())
    messages.success(request, "Confirmed.")
    return redirect("moderation:review")


@require_POST
@page
def overturn(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = cases.find(case_id, by=request.user)
    intents.overturn(found, by=request.user)
    messages.success(request, "Overturned: the case is back in the queue.")
    return redirect("moderation:review")


@require_POST
@page
def reveal(request: SignedIn, case_id: UUID) -> HttpResponse:
    found = cases.find(case_id, by=request.user)
    pictures.reveal(_shown(found), by=request.user, at=timezone.now())
    if not request.htmx:
        return redirect(found)
    return render(request, "moderation/_dossier.html", _evidence(request, found))


@require_safe
@page
def derivative(request: SignedIn, case_id: UUID) -> HttpResponse:
    return derivative_of(request, _shown(cases.find(case_id, by=request.user)))


@require_safe
@page
def picture(request: SignedIn, case_id: UUID) -> HttpResponse:
    return picture_of(request, _shown(cases.find(case_id, by=request.user)))


def derivative_of(request: SignedIn, shown: pictures.Shown) -> HttpResponse:
    etag = f'"gray-{shown.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return HttpResponse(status=unchanged.status_code)
    answer = private_bytes(pictures.derivative(shown), "image/webp")
    answer["Cache-Control"] = "private, no-cache"
    answer["ETag"] = etag
    return answer


def picture_of(request: SignedIn, shown: pictures.Shown) -> HttpResponse:
    return private_bytes(pictures.full(shown, by=request.user, at=timezone.now()), "image/png")


def _shown(found: ReviewCase) -> pictures.Shown:
    return pictures.Shown(found.subject_kind, found.subject_id, found.severity, found.evidence)


def _token(request: SignedIn) -> UUID:
    try:
        return UUID(request.POST.get("token", ""))
    except ValueError:
        raise cases.StaleLease from None


def _typed(request: SignedIn) -> dict[str, Any]:
    """What the reviewer had chosen and written, without the token of a lease that may be gone."""
    names = ("refuse_reason", "allow_reason", "explanation")
    return {name: request.POST[name] for name in names if request.POST.get(name)}


def _desk(
    request: SignedIn,
    found: ReviewCase,
    *,
    kept: dict[str, Any] | None = None,
    error: ProofsheetError | None = None,
    status: int = 200,
) -> HttpResponse:
    context = {
        "case": found,
        "intent": Intent.objects.filter(case=found).select_related("decided_by").first(),
        "undoable": intents.latest(by=request.user, at=timezone.now()),
        "following": cases.peek(by=request.user, after=found, at=timezone.now()),
        "line": lines.line(found, by=request.user, at=timezone.now()),
        "form": DecisionForm(initial=dict(kept or {}), case=found),
        "kept": kept or {},
        "error": error,
        "decision": Decision.objects.filter(case=found).select_related("decided_by").first(),
    }
    context |= _evidence(request, found)
    answer = error.status if error else status
    return render(request, "moderation/case.html", context, status=answer)


def _evidence(request: SignedIn, found: ReviewCase) -> dict[str, Any]:
    dossier = compile_dossier(
        kind=found.subject_kind,
        subject_id=found.subject_id,
        owner=found.owner,
        evidence=found.evidence,
        policy_version=decisions.policy_version_of(found),
        severity=found.severity,
    )
    return {
        "dossier": dossier,
        "is_revealed": dossier.has_picture
        and pictures.is_revealed(dossier.shown, by=request.user, at=timezone.now()),
        "derivative_url": reverse("moderation:derivative", args=[found.id]),
        "picture_url": reverse("moderation:picture", args=[found.id]),
        "reveal_url": reverse("moderation:reveal", args=[found.id]),
    }
