"""The review queue: what waits, and taking the next case."""

from datetime import timedelta
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from moderation import appeals, cases, intents, lines, pictures
from moderation.forms import QueueFilter
from moderation.pages import SignedIn, desk

CASES_A_PAGE = 50


@require_GET
@desk
def review(request: SignedIn) -> HttpResponse:
    form = QueueFilter(request.GET)
    wanted = {k: v for k, v in form.cleaned_data.items() if v} if form.is_valid() else {}
    waiting = cases.queue(by=request.user, **wanted)
    sheet = Paginator(waiting, CASES_A_PAGE).get_page(request.GET.get("page"))
    now = timezone.now()
    context = {
        "page": sheet,
        "rows": [lines.line(case, by=request.user, at=now) for case in sheet],
        "summary": lines.summary(by=request.user, at=now),
        "kind": wanted.get("kind", ""),
        "category": wanted.get("category", ""),
        "query": f"{urlencode(wanted)}&" if wanted else "",
        "reveals": pictures.reveals_since(now - timedelta(hours=8), by=request.user),
        "undoable": intents.latest(by=request.user, at=now),
        "to_confirm": intents.to_confirm(by=request.user)[:CASES_A_PAGE],
        "appeals": appeals.waiting_for(request.user).count(),
    }
    template = "moderation/review.html" + ("#queue" if request.htmx else "")
    return render(request, template, context)


@require_POST
@desk
def claim_next(request: SignedIn) -> HttpResponse:
    """Claim the most urgent case that nobody holds and go to it."""
    case = cases.claim_next(by=request.user, at=timezone.now())
    if case is None:
        messages.success(request, "Nothing waits that you could take. The queue is clear.")
        return redirect("moderation:review")
    return redirect(case)
