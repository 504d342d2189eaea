"""A person's own page: warnings, a suspension, and the way to contest either."""

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from config.core.pages import SignedIn, page
from moderation.account_status import restrictions


@require_GET
@page
def standing_page(request: SignedIn) -> HttpResponse:
    """A person reads their warnings and suspension, with the way to each statement."""
    now = timezone.now()
    context = {
        "suspension": restrictions.suspension_of(request.user.pk, at=now),
        "marks": restrictions.marks_of(by=request.user, at=now),
    }
    return render(request, "moderation/restriction.html", context)
