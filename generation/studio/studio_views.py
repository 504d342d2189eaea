"""Pages of the studio: compose, watch, cancel."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRedirect

from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, private_file, uuid_of
from config.core.projects import calling, chosen
from generation.capacity import estimates
from generation.conditions import init_images
from generation.gallery import own_images
from generation.gallery.image_cards import frame_number
from generation.progress import previews
from generation.requests import admission, submitting
from generation.studio import own_requests
from generation.studio.request_cards import RequestCard, request_cards
from generation.studio.studio_forms import StudioForm, settings_of, settings_of_request

SHEET_LENGTH = 12
STRIP = (
    ("Written", "You write a sentence and choose how it is made."),
    ("Screened", "The prompt is read by rules and a classifier before anything is drawn."),
    ("Developed", "The picture comes out of noise, step by step, while you watch."),
    ("Watermarked", "An invisible identifier goes into the pixels themselves."),
    ("Looked at", "The marked picture is screened again. What is in doubt goes to a person."),
    ("Signed and logged", "Credentials are signed in, and a public log keeps the digest."),
)


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """The front page, for anybody: how an image is made, in a strip of frames."""
    strip = [
        {
            "number": frame_number(place),
            "title": title,
            "text": text,
            "picture": f"home/{place}.svg",
        }
        for place, (title, text) in enumerate(STRIP, start=1)
    ]
    return render(request, "generation/studio_home.html", {"strip": strip})


@require_GET
@page
def studio(request: SignedIn) -> HttpResponse:
    """The form, filled from what the address names (`copy`, `like`), and the latest requests."""
    form = StudioForm(initial=_wanted_settings(request), user=request.user)
    return _bench(request, form)


def _wanted_settings(request: SignedIn) -> dict[str, Any]:
    """Settings of the image or request that a link names, else of nothing."""
    if image_id := uuid_of(request.GET.get("copy")):
        return settings_of(own_images.find_image(image_id, by=request.user))
    if request_id := uuid_of(request.GET.get("like")):
        return settings_of_request(own_requests.find_request(request_id, by=request.user))
    names = {"prompt", "negative_prompt", "model", "pace", "source_image", "strength"}
    given = request.GET.items()
    return {name: said for name, said in given if name in names or name.startswith("weight_")}


def _bench(request: SignedIn, form: StudioForm, *, status: int = 200) -> HttpResponse:
    template = "generation/studio.html" + ("#bench" if request.htmx else "")
    said = form.data if form.is_bound else form.initial
    context = {
        "form": form,
        "cards": _sheet(request.user),
        "for_project": calling.project_for(request.user),
        "projects": [] if request.htmx else chosen.choices(request.user),
        **_costs(dict(said.items()), request.user),
    }
    return render(request, template, context, status=status)


def _costs(said: dict[str, Any], user: User) -> dict[str, Any]:
    """What it would cost, and what is left of what one may; a project's own limits stand there."""
    project = calling.project_for(user)
    usage = None if project.has_budget else admission.usage_of(user, at=timezone.now())
    return {"estimate": _estimate(said, user), "usage": usage}


def _estimate(said: dict[str, Any], user: User) -> estimates.Estimate | None:
    """Of a form as it stands; its prompt plays no part. None while something else is wrong."""
    form = StudioForm(said | {"prompt": "a picture"}, user=user)
    if not form.is_valid():
        return None
    try:
        return submitting.estimate(form.parameters(), by=user, at=timezone.now())
    except ProofsheetError:
        return None


@require_POST
@page
def estimate(request: SignedIn) -> HttpResponse:
    """The line under the form that says what it would cost; drawn anew when a setting changes."""
    said = dict(request.POST.items())
    return render(request, "generation/studio.html#estimate", _costs(said, request.user))


def _sheet(user: User) -> list[RequestCard]:
    return request_cards(own_requests.requests_of(user)[:SHEET_LENGTH], by=user)


@require_POST
@page
def submit(request: SignedIn) -> HttpResponse:
    """Takes a request in and shows the sheet; what is not taken comes back with its reason."""
    form = StudioForm(request.POST, request.FILES, user=request.user)
    if not form.is_valid():
        return _bench(request, form, status=422)
    try:
        chosen.hold(request, uuid_of(request.POST.get("for_project")))
        parameters = form.parameters()
        key = f"{form.sheet_key()}:{parameters.sha256()[:32]}" if form.sheet_key() else None
        made = submitting.submit(
            parameters, by=request.user, at=timezone.now(), idempotency_key=key
        ).request
    except ProofsheetError as error:
        form.blame(error)
        return _bench(request, form, status=error.status)
    if request.htmx:
        return _bench(request, StudioForm(initial=form.settings(), user=request.user))
    return redirect(f"{reverse('generation:studio')}?like={made.id}#sheet")


@require_GET
@page
def request_page(request: SignedIn, request_id: UUID) -> HttpResponse:
    """The page of one request, or for htmx its card alone."""
    found = own_requests.find_request(request_id, by=request.user)
    [card] = request_cards([found], by=request.user)
    if request.htmx:
        return render(request, "generation/_request.html", {"card": card})
    return render(request, "generation/studio_request.html", {"card": card, "found": found})


@require_POST
@page
def cancel(request: SignedIn, request_id: UUID) -> HttpResponse:
    """Cancels an own request; htmx gets its card anew, anybody else its page."""
    own_requests.cancel(request_id, by=request.user, at=timezone.now())
    if not request.htmx:
        return redirect("generation:request", request_id)
    found = own_requests.find_request(request_id, by=request.user)
    [card] = request_cards([found], by=request.user)
    return render(request, "generation/_request.html", {"card": card})


@require_POST
@page
def remove(request: SignedIn, request_id: UUID) -> HttpResponse:
    """Clear an ended request off the sheet; one with pictures is deleted from the gallery."""
    own_requests.delete_request(request_id, by=request.user, at=timezone.now())
    sheet = f"{reverse('generation:studio')}#sheet"
    if not request.htmx:
        return redirect(sheet)
    is_on_its_page = request.htmx.current_url_abs_path == reverse(
        "generation:request", args=[request_id]
    )
    return HttpResponseClientRedirect(sheet) if is_on_its_page else HttpResponse()


@require_GET
@page
def source(request: SignedIn, request_id: UUID) -> HttpResponseBase:
    """The picture that a request started from, made small, for its owner only."""
    found = own_requests.find_source(request_id, by=request.user)
    etag = f'"source-{found.sha256}"'
    if unchanged := get_conditional_response(request, etag=etag):
        return private_file(unchanged)
    answer = HttpResponse(init_images.shown(found), content_type="image/webp")
    answer["ETag"] = etag
    return private_file(answer)


@require_GET
@page
def preview(request: SignedIn, request_id: UUID) -> HttpResponseBase:
    """The latest preview of a running request: small, unfinished, for its owner only."""
    found = own_requests.find_request(request_id, by=request.user)
    latest = previews.read(found.id) if found.is_active else None
    if latest is None or latest.preview is None:
        return HttpResponse(status=404)
    return private_file(HttpResponse(latest.preview, content_type="image/webp"))
