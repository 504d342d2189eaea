"""`/sdapi/v1/txt2img`, `img2img`, `progress` and `interrupt`."""

from __future__ import annotations

import base64
from contextlib import suppress
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from config.core import database_connections
from config.core.projects import calling
from config.core.transitions import WrongState
from generation.compat import end_users, jobs, refusal_cards, results, waiting
from generation.compat.a1111 import key_state, picture_answers, picture_bodies
from generation.compat.jobs import Job
from generation.compat.openai.entrance import OpenAiView, Unfinished
from generation.compat.openai.picture_files import PictureJSONParser
from generation.compat.safety_refusals import HeldForReview, SafetyRefusal
from generation.models import GenerationRequest
from generation.progress import partials, previews
from generation.studio import own_requests


class WebUiView(OpenAiView):
    """Behind a key, as a bearer or as the password of HTTP Basic."""

    parser_classes = [PictureJSONParser]

    def key_id(self) -> int:
        """Of the key that asks: what A1111 keeps for all is kept by it."""
        return int(self.request.auth.pk)


class TextToImage(WebUiView):
    """Its owner: asks for pictures, and waits for them."""

    key_scope = "generate"
    is_from_picture = False

    def post(self, request: Request) -> HttpResponseBase:
        """Answers once all are made."""
        said = picture_bodies.said_in(request.data)
        title = str(said["override_settings"].get("sd_model_checkpoint") or "")
        model = picture_bodies.model_of(title or key_state.chosen_model(self.key_id()))
        parameters = picture_bodies.parameters_of(
            said, model=model, by=self.user(), is_from_picture=self.is_from_picture
        )
        job = jobs.begin(
            parameters,
            said["batch_size"] * said["n_iter"],
            caller=calling.caller_of(request, claimed_end_user=end_users.claimed(request)),
            at=timezone.now(),
        )
        key_state.begun(job, self.key_id())

        async def finish() -> HttpResponseBase:
            done = await waiting.until_over(job)
            return await sync_to_async(_answer, thread_sensitive=False)(done, said)

        return Unfinished(finish)


class ImageToImage(TextToImage):
    """Its owner: asks for pictures that start from another."""

    is_from_picture = True


class Progress(WebUiView):
    """Its owner: how far what this key asked for last is."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        """Nought once it is over, which clients wait for."""
        active = _active(self)
        found = previews.read(active[0].id) if active else None
        done, steps = (found.step, found.steps) if found else (0, 0)
        share = min(0.99, done / steps) if steps else 0.01 if active else 0.0
        return Response(
            {
                "progress": share,
                "eta_relative": 0.0,
                "state": {
                    "skipped": False,
                    "interrupted": False,
                    "job": str(active[0].id) if active else "",
                    "job_count": len(active),
                    "job_no": 0,
                    "job_timestamp": "0",
                    "sampling_step": done,
                    "sampling_steps": steps,
                },
                "current_image": self._newest_partial(active),
                "textinfo": None,
            }
        )

    def _newest_partial(self, active: list[GenerationRequest]) -> str | None:
        """One that passed the screening: the studio's previews have not, and stay there. They are
        made from the first time on that somebody looks."""
        if not active or self.request.GET.get("skip_current_image", "").lower() in ("true", "1"):
            return None
        partials.want(active[0].id, partials.MOST)
        made = partials.since(active[0].id, 0)
        return base64.b64encode(made[-1]).decode() if made else None


class Interrupt(WebUiView):
    """Its owner: ends what this key asked for last, and nobody else's."""

    key_scope = "generate"

    def post(self, request: Request) -> Response:
        """Nothing to end is no error."""
        for each in _active(self):
            with suppress(WrongState, own_requests.RequestNotFound):
                own_requests.cancel(each.id, by=self.user(), at=timezone.now())
        return Response({})


def _active(view: WebUiView) -> list[GenerationRequest]:
    ids = key_state.newest(view.key_id())
    rows = GenerationRequest.objects.filter(id__in=ids, owner_id=view.user().pk)
    return [row for row in rows if row.is_active and not row.is_held]


@database_connections.given_back
def _answer(job: Job, said: dict[str, Any]) -> HttpResponse:
    """Raises what `results.pictures_of` raises."""
    try:
        return JsonResponse(picture_answers.answer_of(results.pictures_of(job), job, said))
    except (SafetyRefusal, HeldForReview) as error:
        if not refusal_cards.is_wanted(job, error):
            raise
        return JsonResponse(picture_answers.card(error, job, said))
