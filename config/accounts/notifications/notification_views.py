"""What was decided or is ready, newest first, and the count of what is new."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from config.core.notifications import feed
from config.core.pages import SignedIn, page
from config.models import NotificationsRead

SHOWN = 30
READ = "notifications-read"


@require_GET
@page
def notifications(request: SignedIn) -> HttpResponse:
    """The list; what came since it was last read stands out."""
    since = _read_until(request.user)
    rows = feed.newest(request.user, limit=SHOWN, before=_moment(request.GET.get("before")))
    context = {
        "rows": [(at, told, at > since) for at, told in rows],
        "until": rows[0][0] if rows else None,
        "older": rows[-1][0] if len(rows) >= SHOWN else None,
        "has_new": any(at > since for at, _ in rows),
    }
    return render(request, "house/notifications.html", context)


@require_GET
@page
def unread(request: SignedIn) -> HttpResponse:
    """How many are new, for the masthead of every page."""
    count = feed.unread(request.user, since=_read_until(request.user))
    context = {"count": count, "most": feed.MOST_COUNTED, "is_more": count > feed.MOST_COUNTED}
    return render(request, "house/_unread.html", context)


@require_POST
@page
def read(request: SignedIn) -> HttpResponse:
    """Everything up to the moment that the page showed is read; it never goes back."""
    until = _moment(request.POST.get("until")) or timezone.now()
    until = min(max(until, _read_until(request.user)), timezone.now())
    NotificationsRead.objects.update_or_create(user=request.user, defaults={"until": until})
    if request.htmx:
        return HttpResponse(headers={"HX-Trigger": READ})  # which takes the button away
    return redirect("notifications")


def _read_until(user: User) -> datetime:
    row = NotificationsRead.objects.filter(user=user).first()
    return row.until if row else user.date_joined


def _moment(text: str | None) -> datetime | None:
    """What an address or a form names; None for what is no moment with its zone."""
    try:
        said = parse_datetime((text or "")[:40])
    except ValueError:
        return None
    return said if said is not None and said.tzinfo else None
