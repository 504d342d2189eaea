"""Policy versions for those who make them: what is in force, what waits, drafting, activating."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, problem
from moderation.policy import drafting
from moderation.policy.rulebook import policy_document, threshold_rows

VERSIONS_A_PAGE = 100
PROPOSED = "Proposed. A senior moderator other than its author can put it in force."


@require_GET
@page
def versions(request: SignedIn) -> HttpResponse:
    """Policy authors read what is in force and what waits."""
    made = drafting.made_here(by=request.user)[:VERSIONS_A_PAGE]
    context = {
        "made": made,
        "in_force": [policy_document.active(profile) for profile in policy_document.ACTIVE],
    }
    return render(request, "moderation/policy_versions.html", context)


@require_GET
@page
def version(request: SignedIn, version: str) -> HttpResponse:
    """One version beside the one that it is based on."""
    found = drafting.find(version, by=request.user)
    base = policy_document.find(found.based_on)
    made = policy_document.parse(found.document)
    context = {
        "version": found,
        "differences": threshold_rows.differences(base, made),
        "is_author": request.user.pk in {found.drafted_by_id, found.proposed_by_id},
        "may_govern": drafting.may_govern(request.user),
    }
    return render(request, "moderation/policy_version.html", context)


@page
def draft(request: SignedIn, profile: str) -> HttpResponse:
    """Every threshold of the version in force, to be changed and proposed with a reason."""
    drafting.made_here(by=request.user)  # others are told before they write
    base = policy_document.active(profile)
    if request.method != "POST":
        return _form(request, base)
    try:
        changes = threshold_rows.changes(base, request.POST)
        made = drafting.propose_draft(
            based_on=request.POST.get("based_on", base.version),
            changes=changes,
            rationale=request.POST.get("rationale", ""),
            by=request.user,
            at=timezone.now(),
        )
    except ProofsheetError as error:
        return _form(request, base, error=error)
    messages.success(request, PROPOSED)
    return redirect(made)


@require_POST
@page
def activate(request: SignedIn, version: str) -> HttpResponse:
    """A second person puts a proposed version in force."""
    found = drafting.find(version, by=request.user)
    made = drafting.activate(found, by=request.user, at=timezone.now())
    messages.success(request, f"{made.version} is in force for the profile “{made.profile}” now.")
    return redirect("moderation:policies")


@require_POST
@page
def propose(request: SignedIn, version: str) -> HttpResponse:
    """The author asks for the second person."""
    found = drafting.find(version, by=request.user)
    drafting.propose(found, by=request.user, at=timezone.now())
    messages.success(request, PROPOSED)
    return redirect(found)


@require_POST
@page
def discard(request: SignedIn, version: str) -> HttpResponse:
    """Give a version up that is not in force."""
    found = drafting.find(version, by=request.user)
    drafting.discard(found, by=request.user, at=timezone.now())
    messages.success(request, f"{found.version} is given up.")
    return redirect("moderation:policies")


def _form(
    request: SignedIn, base: policy_document.Rulebook, *, error: ProofsheetError | None = None
) -> HttpResponse:
    context: dict[str, Any] = {
        "base": base,
        "rows": threshold_rows.rows(base, request.POST if error else {}),
        "rationale": request.POST.get("rationale", ""),
        "error": error,
    }
    status = error.status if error else 200
    return render(request, "moderation/policy_draft.html", context, status=status)


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
