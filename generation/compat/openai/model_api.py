"""`/v1/models`: what may be named as `model`."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from adapters.models import BaseModel
from generation.compat.openai import model_names
from generation.compat.openai.entrance import OpenAiView


class ListedModels(OpenAiView):
    """Anybody with a key."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        """The default one first, aliases last."""
        data = [_written(name, model) for name, model in model_names.listed()]
        return Response({"object": "list", "data": data})


class ListedModel(OpenAiView):
    """Anybody with a key."""

    key_scope = "read"

    def get(self, request: Request, name: str) -> Response:
        """By its slug or an alias."""
        return Response(_written(name, model_names.model_of(name)))


def _written(name: str, model: BaseModel) -> dict[str, Any]:
    return {
        "id": name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": "proofsheet",
        "alias_of": None if name == model.slug else model.slug,
        "sizes": [f"{width}x{height}" for width, height in model.sizes],
    }
