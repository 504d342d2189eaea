"""The review queue: what waits, and taking the next case."""

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from config.core.pages import SignedIn
from moderation.appeals import hearing
from moderation.cases import review_cases, wellbeing
from moderation.cases.reviewers import for_reviewers, is_blind
from moderation.decisions import pending_decisions
from moderation.desk import bulk, queue_rows, saved_views
from moderation.desk.desk_forms import BulkForm, QueueFilter

CASES_A_PAGE = 50


class Counted(Paginator):  # type: ignore[type-arg] # of cases
    """Pages over rows that were counted before; counting again would double the time."""

    count = 0


@require_GET
@for_reviewers
def review(request: SignedIn) -> HttpResponse:
    """The review desk: what waits, narrowed by the filter; who rests is sent to rest."""
    now = timezone.now()
    exposure = wellbeing.exposure(by=request.user, at=now)
    if exposure.resting_until:
        return redirect("moderation:wellbeing")
    form = QueueFilter(request.GET)
    wanted, narrowing = form.wanted(), form.narrowing()
    waiting = review_cases.narrowed(narrowing, by=request.user, at=now)
    summary = queue_rows.summary(by=request.user, at=now)
    pages = Counted(waiting, CASES_A_PAGE)
    pages.count = (
        summary.matching(kind=narrowing.kind, category=narrowing.category)
        if narrowing.is_counted
        else waiting.count()
    )
    sheet = pages.get_page(request.GET.get("page"))
    context = {
        "page": sheet,
        "rows": [queue_rows.line(case, by=request.user, at=now) for case in sheet],
        "summary": summary,
        "filter": form,
        "matching": pages.count,
        "bulk_most": bulk.MOST,
        "is_narrowed": bool(wanted),
        "bulk": BulkForm(initial={"measure": "allow:within_policy"}),
        "views": saved_views.of(request.user),
        "wanted": wanted,
        "wanted_query": urlencode(wanted),
        "query": f"{urlencode(wanted)}&" if wanted else "",
        "exposure": exposure,
        "is_blind": is_blind(request),
        "undoable": pending_decisions.latest(by=request.user, at=now),
        "to_confirm": pending_decisions.to_confirm(by=request.user)[:CASES_A_PAGE],
        "appeals": hearing.waiting_for(request.user).count(),
    }
    template = "moderation/queue.html" + ("#queue" if request.htmx else "")
    return render(request, template, context)


@require_POST
@for_reviewers
def blind(request: SignedIn) -> HttpResponse:
    """Hide how owners fared before, or show it again, until the person signs out."""
    request.session["is_blind"] = not is_blind(request)
    return redirect("moderation:review")


@require_POST
@for_reviewers
def claim_next(request: SignedIn) -> HttpResponse:
    """Claim the most urgent case that nobody holds and go to it."""
    case = review_cases.claim_next(by=request.user, at=timezone.now())
    if case is None:
        messages.success(request, "Nothing waits that you could take. The queue is clear.")
        return redirect("moderation:review")
    return redirect(case)
