"""Pictures as OpenAI's clients read them, with what they cost in tokens.

Tokens are counted for clients that show them, nothing is charged by them: of a text its words and
signs, of a picture its squares of 16 × 16 pixels.
"""

from __future__ import annotations

import base64
import math
import re
from typing import Any

from django.http import HttpRequest

from generation.compat import refusal_cards, signed_pictures
from generation.compat.jobs import Job
from generation.compat.openai.image_bodies import ImageOrder
from generation.gallery.file_views import picture
from generation.models import GeneratedImage

_TOKEN = re.compile(r"\w+|[^\w\s]")
PATCH = 16


def answer_of(
    pictures: list[GeneratedImage], job: Job, order: ImageOrder, *, request: HttpRequest
) -> dict[str, Any]:
    """The body of an answer that is no stream."""
    data = [_item(image, order, request) for image in pictures]
    return {
        "created": int(job.requests[0].created_at.timestamp()),
        "data": data,
        **look_of(job, order),
        **_echo(order),
        "usage": usage_of(pictures, job),
    }


def completed(
    image: GeneratedImage, job: Job, order: ImageOrder, *, usage: dict[str, Any]
) -> dict[str, Any]:
    """The event of one picture that is ready."""
    return {
        "type": f"{event_prefix(order)}.completed",
        "b64_json": _base64(image, order),
        "created_at": int(image.created_at.timestamp()),
        **look_of(job, order),
        **_echo(order),
        "usage": usage,
    }


def card(
    error: refusal_cards.Stopped, job: Job, order: ImageOrder, *, request: HttpRequest
) -> dict[str, Any]:
    """A refusal as if it were the picture; nothing is counted for it."""
    token = refusal_cards.token_of(error, job)
    path = request.build_absolute_uri(refusal_cards.path_of(token))
    shown = {"url": path} if order.is_url else {"b64_json": _encoded(refusal_cards.drawn(token))}
    return {
        "created": int(job.requests[0].created_at.timestamp()),
        "data": [shown | _told(error)],
        **look_of(job, order),
        **_echo(order),
        "output_format": "png",
        "usage": usage_of([], job),
    }


def card_completed(error: refusal_cards.Stopped, job: Job, order: ImageOrder) -> dict[str, Any]:
    """The same as an event."""
    return {
        "type": f"{event_prefix(order)}.completed",
        "b64_json": _encoded(refusal_cards.drawn(refusal_cards.token_of(error, job))),
        "created_at": int(job.requests[0].created_at.timestamp()),
        **look_of(job, order),
        **_echo(order),
        **_told(error),
        "output_format": "png",
        "usage": usage_of([], job),
    }


def _told(error: refusal_cards.Stopped) -> dict[str, Any]:
    return {"is_refusal_card": True, "code": error.code, "message": error.message} | error.members


def partial(png: bytes, index: int, job: Job, order: ImageOrder) -> dict[str, Any]:
    """The event of a picture on its way, always PNG."""
    return {
        "type": f"{event_prefix(order)}.partial_image",
        "b64_json": _encoded(png),
        "partial_image_index": index,
        "created_at": int(job.requests[0].created_at.timestamp()),
        **look_of(job, order),
        "output_format": "png",
    }


def event_prefix(order: ImageOrder) -> str:
    """What the names of a stream's events begin with."""
    return "image_edit" if order.is_edit else "image_generation"


def look_of(job: Job, order: ImageOrder) -> dict[str, str]:
    """What `auto` became."""
    first = job.requests[0]
    return {
        "background": "opaque",
        "output_format": order.output_format,
        "quality": order.quality,
        "size": f"{first.width}x{first.height}",
    }


def usage_of(pictures: list[GeneratedImage], job: Job) -> dict[str, Any]:
    """Of the pictures that are delivered."""
    first = job.requests[0]
    text = len(_TOKEN.findall(f"{first.prompt} {first.negative_prompt}"))
    source = first.starts_from
    given = _patches(source.width, source.height) if source else 0
    made = sum(_patches(image.width, image.height) for image in pictures)
    return {
        "input_tokens": text + given,
        "output_tokens": made,
        "total_tokens": text + given + made,
        "input_tokens_details": {"text_tokens": text, "image_tokens": given},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": made},
    }


def _patches(width: int, height: int) -> int:
    return math.ceil(width / PATCH) * math.ceil(height / PATCH)


def _item(image: GeneratedImage, order: ImageOrder, request: HttpRequest) -> dict[str, Any]:
    more = {"id": str(image.id), "seed": image.seed}
    if order.is_url:
        path = signed_pictures.path_of(image, order.output_format)
        return {"url": request.build_absolute_uri(path)} | more
    return {"b64_json": _base64(image, order)} | more


def _base64(image: GeneratedImage, order: ImageOrder) -> str:
    return _encoded(picture(image, mime=order.mime).content)


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _echo(order: ImageOrder) -> dict[str, str]:
    return {"safety_identifier": order.safety_identifier} if order.safety_identifier else {}
