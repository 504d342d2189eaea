"""Reviewers among themselves: notes, assignment, who looks at a case now, saved views."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.pages import SignedIn
from moderation.cases import review_cases
from moderation.cases.reviewers import for_reviewers
from moderation.desk import saved_views
from moderation.desk.desk_forms import QueueFilter
from moderation.desk.teamwork import case_notes, viewers
from moderation.models import ReviewCase


@require_POST
@for_reviewers
def note(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Write a note for whoever works on the case next."""
    found = review_cases.find(case_id, by=request.user)
    case_notes.write(found, request.POST.get("text", ""), by=request.user, at=timezone.now())
    if not request.htmx:
        return redirect(f"{found.get_absolute_url()}#notes")
    context = {"case": found, "notes": case_notes.of_case(found, by=request.user)}
    return render(request, "moderation/_notes.html", context)


@require_POST
@for_reviewers
def assign(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Say whose the case is."""
    found = review_cases.find(case_id, by=request.user)
    row = case_notes.assign(found, to=request.POST.get("to", ""), by=request.user)
    whose = f"assigned to {row.assigned_to}" if row.assigned_to else "nobody's"
    messages.success(request, f"The case is {whose} now.")
    return redirect(found)


@require_GET
@for_reviewers
def viewers_page(request: SignedIn, case_id: UUID) -> HttpResponse:
    """Heartbeat of an open page, lease or not: who else looks at the case."""
    found = review_cases.find(case_id, by=request.user)
    context = viewers_of(found, among=case_notes.reviewers(found), by=request.user)
    return render(request, "moderation/_viewers.html", context)


def viewers_of(case: ReviewCase, *, among: Iterable[User], by: User) -> dict[str, Any]:
    """Says that `by` looks, and names those who look too."""
    viewers.look(case.id, by=by)
    ids = [person.pk for person in among]
    return {"case": case, "viewers": viewers.others(case.id, among=ids, by=by)}


@require_POST
@for_reviewers
def save_view(request: SignedIn) -> HttpResponse:
    """Keep the queue's filter under a name."""
    wanted = QueueFilter(QueryDict(request.POST.get("query", ""))).wanted()
    row = saved_views.save(request.POST.get("name", ""), wanted, by=request.user, at=timezone.now())
    return redirect(row)


@require_POST
@for_reviewers
def forget_view(request: SignedIn, view_id: int) -> HttpResponse:
    """Drop a kept filter."""
    saved_views.forget(view_id, by=request.user)
    return redirect("moderation:review")
