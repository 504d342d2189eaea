"""The picture of a case: blurred, revealed, and in full once it is revealed.

An appeal shows its picture in the same way: `moderation.appeals.appeal_views` calls the bodies.
"""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_POST, require_safe

from config.core.pages import SignedIn, page, private_bytes
from moderation.cases import case_pictures, detail_access, review_cases, wellbeing
from moderation.cases.reviewers import is_blind


@require_POST
@page
def reveal(request: SignedIn, found_id: UUID) -> HttpResponse:
    """Whoever holds the case uncovers its picture, on record."""
    return revealed(request, _exhibit(request, found_id))


@require_safe
@page
def derivative(request: SignedIn, found_id: UUID) -> HttpResponse:
    """A reviewer's first look: the picture small, grey and blurred."""
    return blurred(request, _exhibit(request, found_id))


@require_safe
@page
def picture(request: SignedIn, found_id: UUID) -> HttpResponse:
    """The picture in full, for whoever revealed it."""
    return in_full(request, _exhibit(request, found_id))


def revealed(request: SignedIn, exhibit: detail_access.Exhibit) -> HttpResponse:
    """Record the look, and show the evidence with the picture uncovered."""
    now = timezone.now()
    detail_access.check_reveal(exhibit, by=request.user, at=now)
    case_pictures.reveal(exhibit.shown, by=request.user, at=now)
    if not request.htmx:
        return redirect(exhibit.url)
    context = detail_access.context(exhibit, by=request.user, at=now, is_blind=is_blind(request))
    return render(request, "moderation/_dossier.html", context)


def blurred(request: SignedIn, exhibit: detail_access.Exhibit) -> HttpResponse:
    """Small, grey and blurred as strongly as the reviewer wants it for the category."""
    shown = exhibit.shown
    blur = wellbeing.blur_of(shown.category, shown.severity, by=request.user)
    etag = f'"gray-{blur}-{shown.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return HttpResponse(status=unchanged.status_code)
    answer = private_bytes(case_pictures.derivative(shown, blur=blur), "image/webp")
    answer["Cache-Control"] = "private, no-cache"
    answer["ETag"] = etag
    return answer


def in_full(request: SignedIn, exhibit: detail_access.Exhibit) -> HttpResponse:
    """The picture as it is; raises review_cases.NotHeld, and what `case_pictures.full` raises."""
    now = timezone.now()
    detail_access.check_reveal(exhibit, by=request.user, at=now)
    return private_bytes(case_pictures.full(exhibit.shown, by=request.user, at=now), "image/png")


def _exhibit(request: SignedIn, case_id: UUID) -> detail_access.Exhibit:
    return detail_access.of_case(review_cases.find(case_id, by=request.user))
