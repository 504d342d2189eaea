"""What `txt2img` and `img2img` are asked for. Members that are not known are ignored: real clients
send dozens, a password among them, so no body is ever repeated or logged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from rest_framework import serializers

from adapters.access import visibility
from adapters.models import BaseModel
from config.core.errors import ProofsheetError
from generation.compat.a1111 import prompt_tags
from generation.compat.jobs import PICTURES_MAX
from generation.compat.openai import model_names
from generation.compat.openai.picture_files import bytes_of, decoded
from generation.request_rules.parameters import RequestParameters

# All are drawn by the model's own schedule; clients insist on a name that they know.
SAMPLERS = ("Euler a", "Euler", "DDIM", "DPM++ 2M", "Automatic")
SCHEDULERS = ("automatic",)
WHAT_IS_SENT = frozenset({"init_images", "mask", "auth", "url", "alwayson_scripts"})


class SamplerUnknown(ProofsheetError):
    """None that this house lists."""

    default_code = "sampler_unknown"
    default_message = "Sampler not found."
    default_advice = "GET /sdapi/v1/samplers lists those that are."
    default_status = 404


class MaskNotTaken(ProofsheetError):
    """Until there is inpainting."""

    default_code = "mask_not_supported"
    default_message = "mask: A part of a picture cannot be repainted here yet."
    default_advice = "Leave the mask out: the whole picture is then redrawn from the given one."
    default_status = 422


class PictureBodySerializer(serializers.Serializer[Any]):
    """Of both calls; `init_images`, `mask` and `denoising_strength` are img2img's."""

    prompt = serializers.CharField(default="", trim_whitespace=False, allow_blank=True)
    negative_prompt = serializers.CharField(default="", trim_whitespace=False, allow_blank=True)
    seed = serializers.IntegerField(default=-1, min_value=-1)
    steps = serializers.IntegerField(default=50)
    cfg_scale = serializers.FloatField(default=7.0)
    width = serializers.IntegerField(default=512)
    height = serializers.IntegerField(default=512)
    batch_size = serializers.IntegerField(default=1, min_value=1, max_value=PICTURES_MAX)
    n_iter = serializers.IntegerField(default=1, min_value=1, max_value=PICTURES_MAX)
    sampler_name = serializers.CharField(default="", allow_blank=True)
    denoising_strength = serializers.FloatField(default=0.75)
    init_images = serializers.ListField(child=serializers.CharField(), default=list, max_length=1)
    mask = serializers.CharField(default="", allow_blank=True)
    override_settings = serializers.DictField(default=dict)
    send_images = serializers.BooleanField(default=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["batch_size"] * attrs["n_iter"] > PICTURES_MAX:
            raise serializers.ValidationError(
                {"n_iter": f"batch_size times n_iter is at most {PICTURES_MAX}."}
            )
        return attrs


def said_in(body: Any) -> dict[str, Any]:
    """Raises ValidationError, SamplerUnknown."""
    if not isinstance(body, Mapping):
        raise serializers.ValidationError({"body": ["Send a JSON object."]})
    present = {name: value for name, value in body.items() if value is not None}
    said: dict[str, Any] = PictureBodySerializer().run_validation(present)
    if said["sampler_name"].lower() not in {"", *(name.lower() for name in SAMPLERS)}:
        raise SamplerUnknown
    return said


def draft_of(
    said: dict[str, Any], *, model: BaseModel, by: User, is_from_picture: bool
) -> RequestParameters:
    """Raises ValidationError, TagNotUnderstood, AdapterNotUsable, MaskNotTaken."""
    prompt = prompt_tags.read(said["prompt"])
    negative = prompt_tags.read(said["negative_prompt"])
    picture = _picture(said) if is_from_picture else None
    return RequestParameters(
        prompt=prompt.text,
        negative_prompt=negative.text,
        model=model.slug,
        steps=said["steps"],
        guidance=said["cfg_scale"],
        seed=None if said["seed"] < 0 else said["seed"],
        width=said["width"],
        height=said["height"],
        adapters=tuple((slug_of(name, model=model, by=by), w) for name, w in prompt.loras),
        picture=picture,
        strength=said["denoising_strength"] if picture is not None else None,
    )


def model_of(title: str) -> BaseModel:
    """By a title as the list gives it, with or without a hash behind. Raises ModelNotRegistered."""
    return model_names.model_of(title.partition(" [")[0].removesuffix(".safetensors") or None)


def slug_of(name: str, *, model: BaseModel, by: User) -> str:
    """Of an adapter in the caller's own catalogue, by slug or name. Raises AdapterNotUsable."""
    wanted = name.casefold()
    for adapter in visibility.usable_by(by, model):
        if wanted in (adapter.slug.casefold(), adapter.name.casefold()):
            return adapter.slug
    raise visibility.AdapterNotUsable(
        message=f"The adapter {name[:64]!r} cannot be used with this model.",
        advice="GET /sdapi/v1/loras lists those that can.",
    )


def _picture(said: dict[str, Any]) -> bytes:
    if said["mask"]:
        raise MaskNotTaken
    if not said["init_images"]:
        raise serializers.ValidationError({"init_images": ["Send one picture as base64."]})
    [text] = said["init_images"]
    if ":" in text[:16]:
        return bytes_of(text, param="init_images")
    return decoded(text, param="init_images")
