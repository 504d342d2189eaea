"""A reviewer's own page: what they looked at, the break, and how strongly pictures are blurred."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.pages import SignedIn
from moderation.cases import wellbeing
from moderation.cases.reviewers import for_reviewers
from moderation.decisions import pending_decisions
from moderation.models import BlurChoice


@require_GET
@for_reviewers
def wellbeing_page(request: SignedIn) -> HttpResponse:
    """A reviewer reads what they saw today, and chooses breaks and blurring."""
    now = timezone.now()
    context = {
        "exposure": wellbeing.exposure(by=request.user, at=now),
        "seen": wellbeing.seen(by=request.user, at=now),
        "levels": wellbeing.levels(by=request.user),
        "choices": BlurChoice.Level.choices,
        "undoable": pending_decisions.latest(by=request.user, at=now),
    }
    return render(request, "moderation/wellbeing.html", context)


@require_POST
@for_reviewers
def rest(request: SignedIn) -> HttpResponse:
    """Begin a break."""
    begun = wellbeing.rest(by=request.user, at=timezone.now())
    messages.success(request, f"Your break runs until {begun.ends_at:%H:%M} UTC. Look at the sky.")
    return redirect("moderation:wellbeing")


@require_POST
@for_reviewers
def blur(request: SignedIn) -> HttpResponse:
    """Choose how strongly pictures are blurred, by category."""
    chosen = {
        name.removeprefix("blur-"): level
        for name, level in request.POST.items()
        if name.startswith("blur-") and isinstance(level, str)
    }
    wellbeing.choose_levels(chosen, by=request.user)
    messages.success(request, "Pictures are blurred as you chose from now on.")
    return redirect("moderation:wellbeing")
