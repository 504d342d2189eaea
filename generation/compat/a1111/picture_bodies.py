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
from generation.compat.openai.picture_files import SeveralPictures, bytes_of, decoded
from generation.request_rules.parameters import (
    MaskFill,
    RequestParameters,
    ResizeMode,
    SentMask,
)

# All are drawn by the model's own schedule; clients insist on a name that they know.
SAMPLERS = ("Euler a", "Euler", "DDIM", "DPM++ 2M", "Automatic")
SCHEDULERS = ("automatic",)
RESIZE: tuple[ResizeMode, ...] = ("stretch", "crop", "fill")
FILLS: tuple[MaskFill, ...] = ("surroundings", "original", "noise", "nothing")
WHAT_IS_SENT = frozenset({"init_images", "mask", "auth", "url", "alwayson_scripts"})


class SamplerUnknown(ProofsheetError):
    """None that this house lists."""

    default_code = "sampler_unknown"
    default_message = "Sampler not found."
    default_advice = "GET /sdapi/v1/samplers lists those that are."
    default_status = 404


class PictureBodySerializer(serializers.Serializer[Any]):
    """Of both calls; `denoising_strength`, `init_images` and what says how a part of one is painted
    anew are img2img's."""

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
    init_images = serializers.ListField(child=serializers.CharField(), default=list)
    resize_mode = serializers.IntegerField(default=0)
    mask = serializers.CharField(default="", allow_blank=True)
    mask_blur = serializers.FloatField(default=4.0)
    inpainting_fill = serializers.ChoiceField(tuple(range(len(FILLS))), default=0)
    inpaint_full_res = serializers.BooleanField(default=True)
    inpaint_full_res_padding = serializers.IntegerField(default=0)
    inpainting_mask_invert = serializers.BooleanField(default=False)
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


def parameters_of(
    said: dict[str, Any], *, model: BaseModel, by: User, is_from_picture: bool
) -> RequestParameters:
    """Raises ValidationError, TagNotUnderstood, AdapterNotUsable."""
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
        mask=_mask(said) if picture is not None else None,
        resize_mode=_resize_mode(said) if picture is not None else "crop",
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
    if not said["init_images"]:
        raise serializers.ValidationError({"init_images": ["Send one picture as base64."]})
    if len(said["init_images"]) > 1:
        raise SeveralPictures
    [text] = said["init_images"]
    return _bytes(text, param="init_images")


def _resize_mode(said: dict[str, Any]) -> ResizeMode:
    """Raises ValidationError, also for 3, which enlarges what the model has drawn half of."""
    mode: int = said["resize_mode"]
    if not 0 <= mode < len(RESIZE):
        names = ", ".join(f"{number} ({name})" for number, name in enumerate(RESIZE))
        refused = "3 (latent upscale) is not done here" if mode == 3 else "It is none"
        raise serializers.ValidationError({"resize_mode": [f"{refused}: send {names}."]})
    return RESIZE[mode]


def _mask(said: dict[str, Any]) -> SentMask | None:
    if not said["mask"]:
        return None
    return SentMask(
        _bytes(said["mask"], param="mask"),
        anew="webui",
        is_inverted=said["inpainting_mask_invert"],
        blur=said["mask_blur"],
        fill=FILLS[said["inpainting_fill"]],
        padding=said["inpaint_full_res_padding"] if said["inpaint_full_res"] else None,
    )


def _bytes(text: str, *, param: str) -> bytes:
    return bytes_of(text, param=param) if ":" in text[:16] else decoded(text, param=param)
