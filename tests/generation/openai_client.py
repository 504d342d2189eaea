"""How tests speak to `/v1/`, as OpenAI's clients do."""

from __future__ import annotations

import base64
import io
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from PIL import Image

from tests.factories import make_key

GENERATIONS, EDITS = "/v1/images/generations", "/v1/images/edits"
QUICK = {"steps": 2, "seed": 7}


def client_of(user: User, *scopes: str) -> Client:
    return Client(headers={"Authorization": f"Bearer {make_key(user, *scopes)}"})


def ask(api: Client, prompt: object = "a red apple", **said: Any) -> Any:
    headers = said.pop("headers", {})
    body = QUICK | {"prompt": prompt} | said
    return api.post(GENERATIONS, body, content_type="application/json", headers=headers)


def picture_in(item: dict[str, Any]) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(item["b64_json"])))


def error_of(answer: Any) -> dict[str, Any]:
    assert answer["Content-Type"] == "application/json"
    body = answer.json()
    assert list(body) == ["error"]
    error: dict[str, Any] = body["error"]
    assert {"message", "type", "param", "code", "request_id"} <= set(error)
    assert error["request_id"] == answer["x-request-id"]
    return error
