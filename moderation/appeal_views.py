"""Appeals: one's own and those to be heard, one appeal, hearing and withdrawing it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST, require_safe

from moderation import appeals, pictures, statements
from moderation.case_views import derivative_of, picture_of
from moderation.dossiers import compile_dossier
from moderation.forms import HearingForm
from moderation.models import Appeal
from moderation.pages import SignedIn, page
from provenance.errors import ProofsheetError

LINES_A_LIST = 100


@require_GET
@page
def appeal_list(request: SignedIn) -> HttpResponse:
    """Own appeals and the refusals that could still be contested; and for seniors what waits."""
    now = timezone.now()
    contestable = statements.contestable(by=request.user, at=now)[:LINES_A_LIST]
    context = {
        "waiting": appeals.waiting_for(request.user)[:LINES_A_LIST],
        "mine": appeals.of_owner(by=request.user)[:LINES_A_LIST],
        "notices": [statements.notice(found, at=now) for found in contestable],
        "is_senior": request.user.has_perm("moderation.hear_appeals"),
        "now": now,
    }
    return render(request, "moderation/appeals.html", context)


@require_GET
@page
def appeal(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    return _page(request, appeals.find(appeal_id, by=request.user), HearingForm())


@require_POST
@page
def hear(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = appeals.find(appeal_id, by=request.user)
    form = HearingForm(request.POST)
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


@require_POST
@page
def reveal(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    found = appeals.find_to_hear(appeal_id, by=request.user)
    pictures.reveal(_shown(found), by=request.user, at=timezone.now())
    if not request.htmx:
        return redirect(found)
    return render(request, "moderation/_dossier.html", _evidence(request, found))


@require_safe
@page
def derivative(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    return derivative_of(request, _shown(appeals.find_to_hear(appeal_id, by=request.user)))


@require_safe
@page
def picture(request: SignedIn, appeal_id: UUID) -> HttpResponse:
    return picture_of(request, _shown(appeals.find_to_hear(appeal_id, by=request.user)))


def _shown(found: Appeal) -> pictures.Shown:
    decision = found.decision
    severity = statements.category_of(decision).severity
    return pictures.Shown(decision.subject_kind, decision.subject_id, severity, decision.evidence)


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
    context = {
        "appeal": found,
        "notice": statements.notice(found.decision.statement, at=now),
        "is_mine": found.appellant_id == request.user.pk,
        "may_hear": appeals.may_hear(found, by=request.user),
        "form": form,
        "error": error,
    }
    if found.appellant_id != request.user.pk:
        context |= _evidence(request, found)
    return render(request, "moderation/appeal.html", context, status=status)


def _evidence(request: SignedIn, found: Appeal) -> dict[str, Any]:
    decision = found.decision
    dossier = compile_dossier(
        kind=decision.subject_kind,
        subject_id=decision.subject_id,
        owner=decision.owner,
        evidence=decision.evidence,
        policy_version=decision.policy_version,
        severity=statements.category_of(decision).severity,
    )
    return {
        "dossier": dossier,
        "is_revealed": dossier.has_picture
        and pictures.is_revealed(dossier.shown, by=request.user, at=timezone.now()),
        "derivative_url": reverse("moderation:appeal-derivative", args=[found.id]),
        "picture_url": reverse("moderation:appeal-picture", args=[found.id]),
        "reveal_url": reverse("moderation:appeal-reveal", args=[found.id]),
    }
