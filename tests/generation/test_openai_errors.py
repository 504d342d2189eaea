"""What `/v1/` says of what it does not do: each condition named, in the envelope of its clients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from adapters.models import BaseModel
from config.core.api import error_dialects
from config.core.projects.models import Project
from generation.models import GenerationRequest
from generation.requests import admission
from tests.generation.openai_client import GENERATIONS, ask, client_of, error_of
from tests.projects.makers import make_project, project_key

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice: User) -> Client:
    return client_of(alice)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("said", "status", "code", "param"),
    [
        ({"prompt": "x" * 33_000}, 400, "invalid_value", "prompt"),
        ({"prompt": "x" * 2_001}, 400, "prompt_too_long", "prompt"),
        ({"prompt": ""}, 400, "prompt_empty", "prompt"),
        ({"prompt": None}, 400, "invalid_value", "prompt"),
        ({"model": "no-such"}, 404, "model_not_found", "model"),
        ({"size": "7x7"}, 400, "invalid_value", "size"),
        ({"size": "1024x1024"}, 400, "invalid_value", "size"),
        ({"size": "big"}, 400, "invalid_value", "size"),
        ({"n": 11}, 400, "invalid_value", "n"),
        ({"n": 0}, 400, "invalid_value", "n"),
        ({"quality": "best"}, 400, "invalid_value", "quality"),
        ({"background": "transparent"}, 400, "invalid_value", "background"),
        ({"output_format": "gif"}, 400, "invalid_value", "output_format"),
        ({"output_format": "svg"}, 400, "invalid_value", "output_format"),
        ({"output_compression": 101}, 400, "invalid_value", "output_compression"),
        ({"moderation": "off"}, 400, "invalid_value", "moderation"),
        ({"response_format": "tiff"}, 400, "invalid_value", "response_format"),
        ({"stream": "yes"}, 400, "invalid_value", "stream"),
        ({"partial_images": 4, "stream": True}, 400, "invalid_value", "partial_images"),
        ({"partial_images": 1}, 400, "invalid_value", "partial_images"),
        ({"safety_identifier": "x" * 4096}, 400, "invalid_value", "safety_identifier"),
        ({"user": "x" * 4096}, 400, "invalid_value", "user"),
        ({"frame_count": 2}, 400, "invalid_value", "frame_count"),
        ({"stepps": 2}, 400, "invalid_value", "stepps"),
        ({"steps": 0}, 400, "steps_out_of_range", "steps"),
        ({"seed": -2}, 400, "seed_out_of_range", "seed"),
        ({"adapters": [{"slug": "none"}]}, 400, "adapter_not_usable", "adapters"),
        ({"loras": [{"slug": "none", "wieght": 1}]}, 400, "invalid_value", "loras"),
        ({"tier": "fast"}, 400, "tier_unknown", "tier"),
    ],
)
def test_what_is_wrong_is_named(
    api: Client, model: BaseModel, said: dict[str, Any], status: int, code: str, param: str
) -> None:
    answer = ask(api, **said)
    error = error_of(answer)
    assert (answer.status_code, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"
    assert not GenerationRequest.objects.exists()


def test_the_offered_sizes_are_told(api: Client, model: BaseModel) -> None:
    assert "256×256, 512×512" in error_of(ask(api, size="300x300"))["message"]


@pytest.mark.parametrize("body", ["[]", '"x"', "{", '{"prompt": "a", "prompt": "b"}', ""])
def test_a_body_that_is_none_is_told(api: Client, model: BaseModel, body: str) -> None:
    answer = api.post(GENERATIONS, body, content_type="application/json")
    assert answer.status_code == 400
    assert error_of(answer)["message"]


def test_a_form_is_not_what_generations_take(api: Client, model: BaseModel) -> None:
    answer = api.post(GENERATIONS, {"prompt": "a"})
    assert (answer.status_code, error_of(answer)["code"]) == (415, "unsupported_media_type")


# ---------------------------------------------------------------- keys and limits


@pytest.mark.parametrize("method", ["post", "options"])
def test_without_a_key_nothing_is_answered(client: Client, model: BaseModel, method: str) -> None:
    answer = getattr(client, method)(GENERATIONS, {}, content_type="application/json")
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (401, "invalid_api_key")
    assert answer["WWW-Authenticate"].startswith("Bearer")


def test_a_session_opens_nothing_here(
    alice: User, model: BaseModel, as_user: Callable[[User], Client]
) -> None:
    answer = as_user(alice).post(GENERATIONS, {"prompt": "a"}, content_type="application/json")
    assert answer.status_code == 401


def test_a_key_without_the_scope_is_told_which(alice: User, model: BaseModel) -> None:
    answer = ask(client_of(alice, "read"))
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (403, "key_scope_missing")
    assert "generate" in error["message"]


def test_a_used_up_quota_is_not_sent_again(
    api: Client, model: BaseModel, settings: Settings
) -> None:
    settings.PROOFSHEET_ALLOWANCE = settings.PROOFSHEET_ALLOWANCE | {"images_a_day": 0}
    answer = ask(api)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (429, "insufficient_quota")
    assert error["type"] == "insufficient_quota"
    assert answer["x-should-retry"] == "false"


@pytest.mark.parametrize(
    "limit", ["images_a_day", "device_seconds_a_day", "device_seconds_a_month"]
)
def test_what_a_project_has_used_up_is_not_sent_again(
    alice: User, model: BaseModel, limit: str
) -> None:
    limits: dict[str, Any] = {limit: 0}
    team = make_project(alice, **limits)
    is_used_up(ask(_of_project(team, alice)), "project_quota_used_up")


def test_what_an_end_user_has_used_up_is_not_sent_again(alice: User, model: BaseModel) -> None:
    team = make_project(alice, end_user_images_a_day=0)
    is_used_up(ask(_of_project(team, alice), user="eve"), "end_user_quota_used_up")


def is_used_up(answer: Any, reason: str) -> None:
    """So that no library asks twice more, and a person is told whose limit it is."""
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (429, "insufficient_quota")
    assert (error["type"], error["reason"]) == ("insufficient_quota", reason)
    assert answer["x-should-retry"] == "false"


def _of_project(project: Project, owner: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {project_key(project, owner)}"})


def test_every_limit_is_told_by_one_of_the_two_codes_that_clients_know() -> None:
    codes = {kind.default_code for kind in admission.TooMuch.__subclasses__()}
    assert codes >= {"quota_used_up", "end_user_quota_used_up", "project_too_many_in_flight"}
    for code in codes:
        kind = "insufficient_quota" if code.endswith("quota_used_up") else "rate_limit_exceeded"
        assert error_dialects.OPENAI_CODES.get(code) == kind, code


def test_too_many_at_once_is_sent_again_later(
    api: Client, model: BaseModel, settings: Settings
) -> None:
    settings.PROOFSHEET_ALLOWANCE = settings.PROOFSHEET_ALLOWANCE | {"in_flight": 1}
    answer = ask(api, n=10)
    error = error_of(answer)
    assert (answer.status_code, error["code"]) == (429, "rate_limit_exceeded")
    assert error["reason"] == admission.TooManyInFlight.default_code
    assert int(answer["Retry-After"]) >= 1
    assert "x-should-retry" not in answer
    assert [row.status for row in GenerationRequest.objects.all()] == ["cancelled"]


@pytest.mark.parametrize("path", ["/v1/", "/v1/nothing", "/v1/images/files/none", "/v1/models/x/y"])
def test_an_address_that_is_none_is_told_in_the_envelope(client: Client, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert error_of(answer)["code"] in ("not_found", "picture_address_over")
