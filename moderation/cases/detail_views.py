"""The picture of a case or an appeal: blurred, revealed, and in full once it is revealed."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from moderation.cases import case_pictures, detail_access, wellbeing
from moderation.cases.reviewers import SignedIn, is_blind, page, private_bytes


@require_POST
@page
def reveal(request: SignedIn, found_id: UUID, of: detail_access.Of) -> HttpResponse:
    now = timezone.now()
    exhibit = detail_access.find_to_reveal(of, found_id, by=request.user, at=now)
    case_pictures.reveal(exhibit.shown, by=request.user, at=now)
    if not request.htmx:
        return redirect(exhibit.url)
    context = detail_access.context(exhibit, by=request.user, at=now, is_blind=is_blind(request))
    return render(request, "moderation/_dossier.html", context)


@require_safe
@page
def derivative(request: SignedIn, found_id: UUID, of: detail_access.Of) -> HttpResponse:
    """Small, grey and blurred as strongly as the reviewer wants it for the category."""
    shown = detail_access.find(of, found_id, by=request.user).shown
    blur = wellbeing.blur_of(shown.category, shown.severity, by=request.user)
    etag = f'"gray-{blur}-{shown.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return HttpResponse(status=unchanged.status_code)
    answer = private_bytes(case_pictures.derivative(shown, blur=blur), "image/webp")
    answer["Cache-Control"] = "private, no-cache"
    answer["ETag"] = etag
    return answer


@require_safe
@page
def picture(request: SignedIn, found_id: UUID, of: detail_access.Of) -> HttpResponse:
    now = timezone.now()
    shown = detail_access.find_to_reveal(of, found_id, by=request.user, at=now).shown
    return private_bytes(case_pictures.full(shown, by=request.user, at=now), "image/png")
