"""What A1111's clients ask before they draw: models, samplers, adapters, options, nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.http import JsonResponse
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from adapters.access import visibility
from adapters.models import BaseModel
from generation.compat.a1111 import key_state, picture_bodies, png_texts
from generation.compat.a1111.picture_api import WebUiView
from generation.compat.openai.picture_files import bytes_of, decoded


class Options(WebUiView):
    """Its owner: reads and sets what this key's next calls use."""

    key_scope = {"GET": "read", "POST": "generate"}

    def get(self, request: Request) -> Response:
        """The few that clients read."""
        model = picture_bodies.model_of(key_state.chosen_model(self.key_id()))
        return Response(
            {
                "sd_model_checkpoint": _title(model),
                "samples_format": "png",
                "CLIP_stop_at_last_layers": 1,
            }
        )

    def post(self, request: Request) -> JsonResponse:
        """The model alone is remembered, for this key alone; others change nothing."""
        if not isinstance(request.data, Mapping):
            raise serializers.ValidationError({"body": ["Send a JSON object."]})
        if title := str(request.data.get("sd_model_checkpoint") or ""):
            model = picture_bodies.model_of(title)
            key_state.choose_model(self.key_id(), _title(model))
        return JsonResponse(None, safe=False)


class CheckpointList(WebUiView):
    """Anybody with a key: the models, the default one first."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        return Response(
            [
                {
                    "title": _title(model),
                    "model_name": model.slug,
                    "hash": model.digest[:10],
                    "sha256": model.digest,
                    "filename": model.slug,
                    "config": None,
                }
                for model in visibility.active_models()
            ]
        )


class LoraList(WebUiView):
    """Its owner: the adapters that `<lora:NAME:WEIGHT>` may name with the chosen model."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        model = picture_bodies.model_of(key_state.chosen_model(self.key_id()))
        return Response(
            [
                {"name": each.slug, "alias": each.name, "path": each.slug, "metadata": {}}
                for each in visibility.usable_by(self.user(), model)
            ]
        )


class SamplerList(WebUiView):
    """Anybody with a key: names that are taken; all stand for the model's own schedule."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        return Response(
            [{"name": name, "aliases": [], "options": {}} for name in picture_bodies.SAMPLERS]
        )


class SchedulerList(WebUiView):
    """Anybody with a key: there is one."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        return Response([_scheduler(name) for name in picture_bodies.SCHEDULERS])


class EmptyList(WebUiView):
    """Anybody with a key: upscalers, VAEs and latent modes, which there are none of."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        return Response([])


class ScriptList(WebUiView):
    """Anybody with a key: there are none."""

    key_scope = "read"

    def get(self, request: Request) -> Response:
        return Response({"txt2img": [], "img2img": []})


class PngInfo(WebUiView):
    """Anybody with a key: what A1111 wrote into a PNG. The house writes no prompt into its own."""

    key_scope = "read"

    def post(self, request: Request) -> Response:
        """Empty where there is nothing, as A1111 answers."""
        body = request.data if isinstance(request.data, Mapping) else {}
        said = str(body.get("image") or "")
        is_url = ":" in said[:16]
        data = bytes_of(said, param="image") if is_url else decoded(said, param="image")
        text = png_texts.parameters_in(data)
        items = {"parameters": text} if text else {}
        members = png_texts.members_of(text) if text else {}
        return Response({"info": text, "items": items, "parameters": members})


def _title(model: BaseModel) -> str:
    return model.slug


def _scheduler(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "label": name.title(),
        "aliases": None,
        "default_rho": -1.0,
        "need_inner_model": False,
    }
