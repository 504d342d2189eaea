"""What a project is told of its requests and pictures: ids, states and addresses."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse

from config.core import events

if TYPE_CHECKING:
    from generation.models.images import GeneratedImage
    from generation.models.requests import GenerationRequest

Further = Callable[[], dict[str, Any]]


def tell_of_request(request: GenerationRequest, what: str, further: Further = dict) -> None:
    """Tell that the request is now `what`, such as "refused"; of the live page's nothing is told.

    `further` is what only the caller knows, asked for if anybody listens.
    """
    if request.is_live:
        return

    def said() -> dict[str, Any]:
        images = request.images.order_by("index") if what == "succeeded" else []
        return {
            "request_id": str(request.id),
            "state": str(request.status),
            "code": request.code,
            "url": _address("generation", request.id),
            **({"images": [_named(image) for image in images]} if images else {}),
            **further(),
        }

    events.tell(request.project_id, f"generation.{what}", said, end_user_id=request.end_user_id)


def tell_of_image(image: GeneratedImage, what: str, further: Further = dict) -> None:
    """The same for one picture."""

    def said() -> dict[str, Any]:
        named = _named(image)
        return {
            "request_id": str(image.request_id),
            "code": image.code,
            "image": named,
            **further(),
        }

    events.tell(image.project_id, f"generation.{what}", said, end_user_id=image.end_user_id)


def _named(image: GeneratedImage) -> dict[str, str]:
    return {"id": str(image.id), "state": str(image.state), "url": _address("image", image.id)}


def _address(name: str, row_id: object) -> str:
    return settings.PUBLIC_URL + reverse(f"generation-api:{name}", args=[row_id])
