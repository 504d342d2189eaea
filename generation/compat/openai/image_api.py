"""`/v1/images/…`: generations, edits, and the address that opens one picture."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from django.views.decorators.http import require_safe
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request

from config.core import database_connections
from config.core.errors import ProofsheetError
from config.core.pages import private_bytes, private_file, public_page
from config.core.projects import calling
from generation.compat import end_users, jobs, refusal_cards, results, signed_pictures, waiting
from generation.compat.jobs import Job
from generation.compat.openai import event_stream, image_answers, picture_files
from generation.compat.openai.entrance import OpenAiView, Unfinished
from generation.compat.openai.image_bodies import ImageOrder, order_of
from generation.compat.openai.picture_files import PictureJSONParser
from generation.compat.safety_refusals import HeldForReview, SafetyRefusal
from generation.gallery.file_views import picture as bytes_of_picture
from generation.progress import partials
from provenance.assets import transcode


class VariationsGone(ProofsheetError):
    """OpenAI's own no longer answers, either."""

    default_code = "not_found"
    default_message = "Variations are not made at this address."
    default_advice = "Use /v1/images/edits with a prompt: it starts from a picture as well."
    default_status = 404


class ImageGenerations(OpenAiView):
    """Its owner: asks for pictures, and waits for them."""

    key_scope = "generate"

    def post(self, request: Request) -> HttpResponseBase:
        """Answers once all are made, or as they come where `stream` is true."""
        return _begun(request, order_of(request.data))


class ImageEdits(OpenAiView):
    """Its owner: asks for pictures that start from another."""

    key_scope = "generate"
    parser_classes = [PictureJSONParser, MultiPartParser]

    def post(self, request: Request) -> HttpResponseBase:
        """Of a form's file, or a `data:` URL in a JSON body."""
        files, rest = picture_files.taken_from(request.data)
        return _begun(request, order_of(rest, files=files))


class ImageVariations(OpenAiView):
    """Nobody: it says where to ask instead."""

    key_scope = "generate"
    parser_classes = [PictureJSONParser, MultiPartParser]

    def post(self, request: Request) -> HttpResponseBase:
        """Without looking at the body."""
        raise VariationsGone


@require_safe
@public_page
def picture(request: HttpRequest, token: str) -> HttpResponse:
    """One released picture, for whoever holds its signed address."""
    image, output_format = signed_pictures.find(token)
    answer = bytes_of_picture(image, mime=transcode.mime_of(output_format))
    private_file(answer)
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"  # chats show it in pages of their own
    answer["X-Robots-Tag"] = "noindex"
    return answer


@require_safe
@public_page
def card(request: HttpRequest, token: str) -> HttpResponse:
    """A refusal as a picture, for whoever holds its signed address."""
    answer = private_bytes(refusal_cards.drawn(token), "image/png")
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"
    answer["X-Robots-Tag"] = "noindex"
    return answer


def _begun(request: Request, order: ImageOrder) -> Unfinished:
    job = jobs.begin(
        order.parameters,
        order.count,
        caller=calling.caller_of(
            request,
            claimed_end_user=end_users.claimed(request, order.safety_identifier, order.user),
        ),
        at=timezone.now(),
        idempotency_key=request.headers.get("Idempotency-Key", ""),
        repeats=_repeats(request),
    )
    if order.partial_images:
        partials.want(job.ids[0], order.partial_images)
    asked = request._request

    async def finish() -> HttpResponseBase:
        return await _finished(asked, job, order)

    return Unfinished(finish)


async def _finished(request: HttpRequest, job: Job, order: ImageOrder) -> HttpResponseBase:
    answer: HttpResponseBase
    if order.is_stream and (standing := await _screened(job)) is not None:
        answer = event_stream.answer(standing, order, path=request.path_info)
    else:
        done = await waiting.until_over(job)
        answer = await sync_to_async(_answer, thread_sensitive=False)(request, done, order)
    answer["x-proofsheet-generation"] = str(job.ids[0])
    return answer


async def _screened(job: Job) -> Job | None:
    """The job once its prompt has passed; None where it is over already without a picture, which is
    told by the answer's status. An image's refusal comes later, in the stream."""
    async for found in waiting.looks(job):
        if found.is_over:
            is_made = any(row.made for row in found.job.requests)
            return found.job if is_made or _has_card(job) else None
        if found.is_screened:
            return found.job
    return None


def _has_card(job: Job) -> bool:
    """Whether a refusal comes as a picture, and so as an event like any other."""
    return job.caller.key is not None and job.caller.key.shows_cards


@database_connections.given_back
def _answer(request: HttpRequest, job: Job, order: ImageOrder) -> HttpResponse:
    """Raises what `results.pictures_of` raises."""
    try:
        pictures = results.pictures_of(job)
    except (SafetyRefusal, HeldForReview) as error:
        if not refusal_cards.is_wanted(job, error):
            raise
        return JsonResponse(image_answers.card(error, job, order, request=request))
    else:
        return JsonResponse(image_answers.answer_of(pictures, job, order, request=request))


def _repeats(request: Request) -> int:
    """How often the client's library has sent this already; 0 for what is no number."""
    said: Any = request.headers.get("x-stainless-retry-count", "0")
    return int(said) if said.isascii() and said.isdigit() and len(said) < 4 else 0
