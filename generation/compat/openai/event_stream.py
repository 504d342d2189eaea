"""A job as OpenAI's server-sent events: partial pictures that passed the screening, each picture as
it is ready, or the error that ends it. A client that leaves ends the stream, not the job: a repeat
finds it, and it is charged once.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from config.core import database_connections
from config.core.api import error_dialects, problem_documents
from config.core.errors import ProofsheetError
from generation.compat import refusal_cards, results, waiting
from generation.compat.jobs import Job
from generation.compat.openai import image_answers
from generation.compat.openai.image_bodies import ImageOrder
from generation.compat.safety_refusals import HeldForReview, SafetyRefusal
from generation.progress import partials

HEARTBEAT_S = 10.0
_COMMENT = ": wait\n\n"


def answer(job: Job, order: ImageOrder, *, path: str) -> StreamingHttpResponse:
    """`path` says in whose words an error is told."""
    return StreamingHttpResponse(
        _events(job, order, path),
        content_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


async def _events(job: Job, order: ImageOrder, path: str) -> AsyncIterator[str]:
    clock = asyncio.get_running_loop().time
    shown, spoke_at = 0, clock()
    try:
        async for found in waiting.looks(job):
            for png in await _aside(_partials_since, job, order, shown):
                yield _event(image_answers.partial(png, shown, job, order))
                shown, spoke_at = shown + 1, clock()
            if clock() - spoke_at > HEARTBEAT_S:
                spoke_at = clock()
                yield _COMMENT
            if found.is_over:
                for body in await _aside(_completed, found.job, order):
                    yield _event(body)
    except ProofsheetError as error:
        said = error_dialects.told(path, problem_documents.of_error(error))
        yield f"data: {json.dumps(said.body)}\n\n"


def _partials_since(job: Job, order: ImageOrder, shown: int) -> list[bytes]:
    if shown >= order.partial_images:
        return []
    return partials.since(job.ids[0], shown)[: order.partial_images - shown]


def _completed(job: Job, order: ImageOrder) -> list[dict[str, Any]]:
    """Raises what `results.pictures_of` raises."""
    try:
        pictures = results.pictures_of(job)
    except (SafetyRefusal, HeldForReview) as error:
        if not refusal_cards.is_wanted(job, error):
            raise
        return [image_answers.card_completed(error, job, order)]
    return [
        image_answers.completed(image, job, order, usage=image_answers.usage_of([image], job))
        for image in pictures
    ]


async def _aside(act: Any, *said: Any) -> Any:
    """On one of the loop's few threads; its connection goes back at once."""

    done = database_connections.given_back(act)
    return await sync_to_async(done, thread_sensitive=False)(*said)


def _event(body: dict[str, Any]) -> str:
    return f"event: {body['type']}\ndata: {json.dumps(body)}\n\n"
