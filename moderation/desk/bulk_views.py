"""Several cases at once: look at what would happen, do it, take it back."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from config.core.pages import SignedIn
from moderation.cases import review_cases
from moderation.cases.reviewers import for_reviewers
from moderation.desk import bulk
from moderation.desk.desk_forms import BulkForm, QueueFilter
from moderation.subjects.actions import ACTIONS


@require_POST
@for_reviewers
def preview(request: SignedIn) -> HttpResponse:
    """What the decision would do to the ticked cases, or to all that match the queue's filter."""
    now = timezone.now()
    form = BulkForm(request.POST)
    ids = _matching(request) if "all" in request.POST else _ticked(request)
    if not form.is_valid():
        raise bulk.NothingChosen(message="No decision was chosen.", advice="Choose one.")
    action, reason = form.chosen()
    shown = bulk.preview(ids, by=request.user, action=action, reason=reason, at=now)
    context: dict[str, Any] = {
        "form": form,
        "measure": ACTIONS[action],
        "chosen": form.data["measure"],
        "preview": shown,
    }
    return render(request, "moderation/bulk.html", context)


@require_POST
@for_reviewers
def decide(request: SignedIn) -> HttpResponse:
    """Decide what was previewed. What could not be is named."""
    form = BulkForm(request.POST)
    if not form.is_valid():
        raise bulk.NothingChosen(message="No decision was chosen.", advice="Choose one.")
    action, reason = form.chosen()
    done = bulk.decide(
        _ticked(request),
        by=request.user,
        action=action,
        reason=reason,
        explanation=form.cleaned_data["explanation"],
        at=timezone.now(),
    )
    if not done.left and not done.gone:
        messages.success(request, f"{ACTIONS[action].done}: {done.decided} at once.")
        return redirect("moderation:review")
    context = {"done": done, "measure": ACTIONS[action]}
    return render(request, "moderation/bulk_done.html", context)


@require_POST
@for_reviewers
def undo(request: SignedIn, batch: UUID) -> HttpResponse:
    """Take back all that was decided at once, before anything is sent."""
    taken = bulk.undo(batch, by=request.user, at=timezone.now())
    messages.success(request, f"Undone. Nothing was sent; {taken} wait in the queue again.")
    return redirect("moderation:review")


def _ticked(request: SignedIn) -> list[UUID]:
    found = []
    for text in request.POST.getlist("case"):
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found


def _matching(request: SignedIn) -> list[UUID]:
    """What the queue's filter leaves, in its order, as many as may be decided at once."""
    wanted = QueueFilter(QueryDict(request.POST.get("query", ""))).narrowing()
    found = review_cases.narrowed(wanted, by=request.user, at=timezone.now())
    return list(found.values_list("id", flat=True)[: bulk.MOST])
