"""The live page, and the two things it asks for while somebody types."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import get_conditional_response
from django.views.decorators.http import require_GET, require_POST

from config.core import database_connections, notify
from config.core.errors import ProofsheetError
from config.core.pages import SignedIn, page, private_file
from config.core.projects import calling, chosen
from generation.live import drawing
from generation.live.live_forms import LiveForm
from generation.models import GenerationRequest, RequestStatus
from generation.request_rules import failures
from generation.studio.stream_limits import OpenStreams

LOOK_S = 0.4  # when nobody wakes it: a failure or a cancellation is seen then
LOOKS = 24
WAITS_MAX = 8  # of one person at once: a tab each

seats = OpenStreams("live", WAITS_MAX)


@require_GET
@page
def live_page(request: SignedIn) -> HttpResponse:
    """The form, filled with prompt, model and seed of the address; for whoever is signed in."""
    names = ("prompt", "model", "seed")
    said = {name: request.GET[name] for name in names if name in request.GET}
    form = LiveForm(initial={"seed": 1} | said, user=request.user)
    steps = drawing.steps_of(form.base_model) if form.base_model else 0
    context = {
        "form": form,
        "steps": steps,
        "for_project": calling.project_for(request.user),
        "projects": chosen.choices(request.user),
    }
    return render(request, "generation/live.html", context)


@require_POST
@page
def draw(request: SignedIn) -> HttpResponse:
    """Answers with the address where the picture will be."""
    said = dict(request.POST.items()) | {"pace": "quick", "count": "1"}
    form = LiveForm(said, user=request.user)
    if not form.is_valid():
        first = next(iter(form.errors.values()))[0]
        return JsonResponse({"message": str(first)}, status=422)
    assert form.base_model is not None, "a valid form has chosen one"
    parameters = replace(
        form.parameters(tier="interactive"), steps=drawing.steps_of(form.base_model)
    )
    try:
        made = drawing.draw(parameters, by=request.user, at=timezone.now())
    except ProofsheetError as error:
        return JsonResponse({"message": str(error), "code": error.code}, status=error.status)
    return JsonResponse({"id": str(made)})


async def picture(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """Waits for a live picture: PNG, 304 when it is the one that the page shows, 204 when something
    newer was typed, 409 with the reason when there will be none, 404 at once for what is not among
    the person's requests and later when it took too long, 429 when too many wait already."""
    user = await sync_to_async(_user)(request)
    if user is None:
        return HttpResponse(status=401)
    if (seat := await seats.take(user.pk)) is None:
        return HttpResponse(status=429, headers={"Retry-After": "1"})
    try:
        return await _wait(request, user, request_id)
    finally:
        seat.give_back()


async def _wait(request: HttpRequest, user: Any, request_id: UUID) -> HttpResponse:
    look = sync_to_async(_look, thread_sensitive=False)
    for _ in range(LOOKS):
        answer = await look(request, user, request_id)
        if answer is not None:
            return answer
        await notify.sleep_until(drawing.wake_name(request_id), seconds=LOOK_S)
    return HttpResponse(status=404)


@database_connections.given_back
def _user(request: HttpRequest) -> Any:
    return request.user if request.user.is_authenticated else None


@database_connections.given_back
def _look(request: HttpRequest, user: Any, request_id: UUID) -> HttpResponse | None:
    if (found := drawing.picture(request_id, by=user)) is not None:
        return _answer(request, found)
    asked = drawing.find(request_id, by=user)
    if asked is None:
        return HttpResponse(status=404)
    if asked.is_active:
        return None
    # A picture that came between the two looks goes before its request's end.
    found = drawing.picture(request_id, by=user)
    return _why_not(asked) if found is None else _answer(request, found)


def _answer(request: HttpRequest, found: drawing.LivePicture) -> HttpResponse:
    etag = f'"{found.drawn_for}"'
    unchanged = get_conditional_response(request, etag=etag)
    answer = unchanged or HttpResponse(found.png, content_type="image/png")
    answer["ETag"] = etag
    private_file(answer)
    return answer


def _why_not(ended: GenerationRequest) -> HttpResponse:
    if ended.status == RequestStatus.CANCELLED:
        return HttpResponse(status=204)
    if ended.status == RequestStatus.FAILED:
        why = failures.explain(ended.code, ended.failures)
        return JsonResponse(
            {"message": f"{why.message} {why.advice}", "code": ended.code}, status=409
        )
    message = (
        "The screening stopped this picture. Your sheet in the studio says what becomes of it."
    )
    return JsonResponse({"message": message, "code": "live_picture_stopped"}, status=409)
