"""The link of an adapter: its owner makes or takes it back, others open it."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from adapters.access import sharing
from config.core.pages import SignedIn, page


@require_POST
@page
def share(request: SignedIn, slug: str) -> HttpResponse:
    """Its owner makes a new link, or takes sharing back (`link` other than "yes")."""
    with_link = request.POST.get("link") == "yes"
    return redirect(sharing.share(slug, by=request.user, with_link=with_link))


@require_GET
@page
def open_link(request: SignedIn, share_key: UUID) -> HttpResponse:
    """A shared link: the adapter is then in the catalogue of whoever opened it."""
    return redirect(sharing.open_link(share_key, by=request.user, at=timezone.now()))
