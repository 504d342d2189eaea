"""`/v1/moderations`: what the policy would make of texts and pictures. Nothing is stored."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from asgiref.sync import sync_to_async
from django.http import JsonResponse
from django.http.response import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from config.core import notify
from config.core.api.strict_serializers import StrictSerializer
from config.core.api.throttles import ModerationThrottle
from config.core.errors import ProofsheetError
from config.core.projects import calling
from generation.compat import category_names
from generation.compat.openai.entrance import OpenAiView, Unfinished
from generation.compat.openai.picture_files import PictureJSONParser, bytes_of
from generation.request_rules.parameters import PROMPT_MAX_CHARACTERS
from moderation.screening import advice
from provenance.pictures.refusals import PictureUnreadable

INPUTS_MAX = 32
LONGEST_S = 30.0


class NoAdviceYet(ProofsheetError):
    """No worker has judged it in time."""

    default_code = "moderation_unavailable"
    default_message = "The classifiers did not answer in time, so nothing is said of it."
    default_advice = "Take it as not judged, and ask again."
    default_status = 503


class ModerationBodySerializer(StrictSerializer):
    """`input` is read by itself: it has three shapes."""

    input = serializers.JSONField()
    model = serializers.CharField(required=False, max_length=128)


class Moderations(OpenAiView):
    """Anybody whose key may: asks what the policy says."""

    key_scope = "moderate"
    throttle_classes = (ModerationThrottle,)
    counted_as = "moderate"
    parser_classes = [PictureJSONParser]

    def post(self, request: Request) -> HttpResponseBase:
        """A result for each string; one for a list of parts, which belong together."""
        body = request.data if isinstance(request.data, Mapping) else {}
        present = {name: value for name, value in body.items() if value is not None}
        said = ModerationBodySerializer().run_validation(present)
        texts, pictures, is_one = _read(said["input"])
        project = calling.caller_of(request).project
        name = advice.ask(advice.Asked(tuple(texts), tuple(pictures), project))
        model = said.get("model") or "omni-moderation-latest"

        async def finish() -> HttpResponseBase:
            return await _answer(name, model, len(texts), is_one=is_one)

        return Unfinished(finish)


async def _answer(name: str, model: str, texts: int, *, is_one: bool) -> HttpResponseBase:
    clock = asyncio.get_running_loop().time
    ends_at = clock() + LONGEST_S
    while (said := await sync_to_async(advice.read, thread_sensitive=False)(name)) is None:
        if clock() > ends_at:
            raise NoAdviceYet
        await notify.sleep_until(name, seconds=1.0)
    if not all(each.is_readable for each in said):
        raise PictureUnreadable
    kinds = ["text"] * texts + ["image"] * (len(said) - texts)
    parts = list(zip(said, kinds, strict=True))
    results = [_result(parts)] if is_one else [_result([part]) for part in parts]
    return JsonResponse({"id": f"modr-{uuid4().hex}", "model": model, "results": results})


def _result(parts: list[tuple[advice.Advice, str]]) -> dict[str, Any]:
    """What flags any part flags all of it. Categories without a name of theirs come beside."""
    scores = dict.fromkeys(category_names.OPENAI, 0.0)
    flags = dict.fromkeys(category_names.OPENAI, False)
    more = dict.fromkeys(category_names.without_a_name(), False)
    read: dict[str, list[str]] = {name: [] for name in category_names.OPENAI}
    for said, kind in parts:
        for name in read:
            if kind == "text" or name in category_names.OF_PICTURES:
                read[name] = [*dict.fromkeys([*read[name], kind])]
        for ours, score in said.scores.items():
            for theirs in category_names.NAMES.get(ours, ()):
                scores[theirs] = max(scores[theirs], round(score, 4))
                flags[theirs] |= ours in said.flagged
            if ours in more:
                more[ours] |= ours in said.flagged
    return {
        "flagged": any(said.flagged for said, _ in parts),
        "categories": flags,
        "category_scores": scores,
        "category_applied_input_types": read,
        "further_categories": more,
    }


def _read(said: Any) -> tuple[list[str], list[bytes], bool]:
    """Texts, pictures, and whether they are one thing. Raises ValidationError."""
    if isinstance(said, str):
        return [_text(said)], [], False
    if not isinstance(said, list) or not 0 < len(said) <= INPUTS_MAX:
        raise _wrong(f"Send a text, or a list of 1 to {INPUTS_MAX}.")
    if all(isinstance(each, str) for each in said):
        return [_text(each) for each in said], [], False
    texts, pictures = [], []
    for part in said:
        kind = part.get("type") if isinstance(part, Mapping) else None
        if kind == "text" and isinstance(part.get("text"), str):
            texts.append(_text(part["text"]))
        elif kind == "image_url" and isinstance(part.get("image_url"), Mapping):
            pictures.append(bytes_of(str(part["image_url"].get("url", "")), param="input"))
        else:
            raise _wrong("Each part is {type: text, text} or {type: image_url, image_url: {url}}.")
    return texts, pictures, True


def _text(text: str) -> str:
    if len(text) > 16 * PROMPT_MAX_CHARACTERS:
        raise _wrong(f"A text has at most {16 * PROMPT_MAX_CHARACTERS} characters.")
    return text


def _wrong(sentence: str) -> serializers.ValidationError:
    return serializers.ValidationError({"input": [sentence]})
