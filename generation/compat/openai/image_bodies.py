"""What `/v1/images/…` is asked for: OpenAI's members and ours, each checked; `null` is absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.http import QueryDict
from rest_framework import serializers

from config.core.api import json_bodies
from config.core.api.strict_serializers import IS_QUERY, StrictSerializer
from generation.compat.jobs import PICTURES_MAX
from generation.compat.openai import model_names
from generation.compat.openai.picture_files import EditFiles
from generation.progress import partials
from generation.request_rules.parameters import RequestParameters, SentMask
from generation.studio.parameter_serializers import AdapterUseSerializer
from provenance.assets import transcode
from provenance.pictures.refusals import Mime

FEW_STEPS = frozenset({"low"})
QUALITIES = ("low", "medium", "high", "xhigh", "max", "auto", "standard", "hd")
SIZE = re.compile(r"([1-9]\d{1,4})x([1-9]\d{1,4})")
FIDELITY = {"low": None, "high": 0.35}
IDENTIFIER_MAX = 128


class ImageBodySerializer(StrictSerializer):
    """POST /v1/images/generations. What changes nothing here is taken all the same: clients send
    it unasked. `moderation` is one of those: no member lowers the policy."""

    prompt = serializers.CharField(max_length=32_000, trim_whitespace=False, allow_blank=True)
    model = serializers.CharField(required=False, max_length=128)
    n = serializers.IntegerField(default=1, min_value=1, max_value=PICTURES_MAX)
    size = serializers.CharField(default="auto", max_length=32)
    quality = serializers.ChoiceField(QUALITIES, default="auto")
    background = serializers.ChoiceField(("auto", "opaque", "transparent"), default="auto")
    output_format = serializers.ChoiceField(tuple(transcode.FORMATS), default="png")
    output_compression = serializers.IntegerField(default=100, min_value=0, max_value=100)
    moderation = serializers.ChoiceField(("low", "auto"), default="auto")
    response_format = serializers.ChoiceField(("url", "b64_json"), default="b64_json")
    stream = serializers.BooleanField(default=False)
    partial_images = serializers.IntegerField(default=0, min_value=0, max_value=partials.MOST)
    safety_identifier = serializers.CharField(default="", max_length=IDENTIFIER_MAX)
    user = serializers.CharField(default="", max_length=IDENTIFIER_MAX, allow_blank=True)
    style = serializers.ChoiceField(  # type: ignore[assignment] # a member, not the attribute
        ("vivid", "natural"), required=False
    )

    negative_prompt = serializers.CharField(default="", trim_whitespace=False, allow_blank=True)
    seed = serializers.IntegerField(default=None)
    steps = serializers.IntegerField(default=None)
    guidance = serializers.FloatField(default=None)
    adapters = AdapterUseSerializer(many=True, default=list)
    loras = AdapterUseSerializer(many=True, default=list)
    tier = serializers.CharField(default="standard")
    visible_label = serializers.CharField(default=None)
    visible_label_text = serializers.CharField(default=None)

    def validate_size(self, value: str) -> str:
        if value != "auto" and not SIZE.fullmatch(value):
            raise serializers.ValidationError("Send auto, or WIDTHxHEIGHT such as 512x512.")
        return value

    def validate_background(self, value: str) -> str:
        if value == "transparent":
            raise serializers.ValidationError("Pictures here have no transparency: send opaque.")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["partial_images"] and not attrs["stream"]:
            raise serializers.ValidationError(
                {"partial_images": "They come in a stream: send stream=true, or leave it out."}
            )
        return attrs


class EditBodySerializer(ImageBodySerializer):
    """POST /v1/images/edits, but for its pictures, which are read before."""

    input_fidelity = serializers.ChoiceField(tuple(FIDELITY), default="low")
    strength = serializers.FloatField(default=None)


@dataclass(frozen=True, slots=True)
class ImageOrder:
    """A body that was read: what to make, and how the answer is to look."""

    parameters: RequestParameters
    count: int
    mime: Mime
    output_format: str
    quality: str
    is_url: bool
    is_stream: bool
    partial_images: int
    safety_identifier: str
    user: str
    is_edit: bool = False


def order_of(body: Any, *, files: EditFiles | None = None) -> ImageOrder:
    """Of a generation, or of an edit of a picture. Raises ValidationError, ModelNotRegistered."""
    is_edit = files is not None
    mask = files.mask if files is not None else None
    said = _reader(is_edit, isinstance(body, QueryDict)).run_validation(_present(body))
    size = SIZE.fullmatch(said["size"])
    parameters = RequestParameters(
        prompt=said["prompt"],
        negative_prompt=said["negative_prompt"],
        model=model_names.slug_of(said.get("model")),
        steps=_steps(said),
        guidance=said["guidance"],
        seed=said["seed"],
        width=int(size[1]) if size else None,
        height=int(size[2]) if size else None,
        adapters=tuple((use["slug"], use["weight"]) for use in said["adapters"] + said["loras"]),
        tier=said["tier"],
        picture=files.picture if files is not None else None,
        strength=_strength(said) if is_edit else None,
        mask=SentMask(mask, anew="transparent") if mask is not None else None,
        visible_label=said["visible_label"],
        visible_label_text=said["visible_label_text"],
    )
    return ImageOrder(
        parameters=parameters,
        count=said["n"],
        mime=transcode.mime_of(said["output_format"]),
        output_format=said["output_format"],
        quality="low" if said["quality"] in FEW_STEPS else "high",
        is_url=said["response_format"] == "url",
        is_stream=said["stream"],
        partial_images=said["partial_images"],
        safety_identifier=said["safety_identifier"],
        user=said["user"],
        is_edit=is_edit,
    )


def _steps(said: dict[str, Any]) -> int | None:
    """As asked; for the low quality the model's few steps."""
    steps: int | None = said["steps"]
    if steps is None and said["quality"] in FEW_STEPS:
        return model_names.model_of(said.get("model")).few_steps
    return steps


def _strength(said: dict[str, Any]) -> float | None:
    strength: float | None = said["strength"]
    return FIDELITY[said["input_fidelity"]] if strength is None else strength


@cache
def _reader(is_edit: bool, is_form: bool) -> ImageBodySerializer:
    """Kept, as copying the fields for every body takes longer than reading one."""
    kind = EditBodySerializer if is_edit else ImageBodySerializer
    return kind(context={IS_QUERY: True} if is_form else {})


def _present(body: Any) -> Any:
    """Without what is null. A form's members are texts; a nested one is JSON there."""
    if isinstance(body, QueryDict):
        return {name: _of_form(name, values) for name, values in body.lists()}
    if isinstance(body, Mapping):
        return {name: value for name, value in body.items() if value is not None}
    return body


def _of_form(name: str, values: list[Any]) -> Any:
    """Raises ValidationError."""
    if len(values) > 1:
        raise serializers.ValidationError({name: "It comes more than once; send it once."})
    [value] = values
    if name not in ("adapters", "loras"):
        return value
    try:
        return json_bodies.read(value)
    except ValueError as error:
        raise serializers.ValidationError({name: "In a form this is JSON."}) from error
