"""`/mcp` beside Django: who calls is asked by the headers, and a body is bounded before it is read;
then the tools do what the API does."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
import sys
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone

from adapters.models import BaseModel
from config.asgi import application
from config.core.projects.models import EndUser
from config.models import ApiKey
from generation.compat.mcp import tools
from generation.compat.mcp.mcp_caller import McpCaller
from generation.compat.mcp.tool_answers import of_generation
from generation.models import GenerationRequest
from moderation.account_status import restrictions
from tests import factories
from tests.factories import make_key
from tests.house.test_bodies import Line, scope_of

pytestmark = pytest.mark.django_db(transaction=True)
JSON = (b"content-type", b"application/json")
ACCEPT = (b"accept", b"application/json, text/event-stream")


@pytest.fixture
def model(db: None) -> BaseModel:
    return factories.make_model()


def bearer(key: str) -> tuple[bytes, bytes]:
    return (b"authorization", f"Bearer {key}".encode())


def send(
    line: Line, *headers: tuple[bytes, bytes], method: str = "POST", **scope: Any
) -> tuple[int, dict[bytes, bytes], bytes]:
    """Status, headers and body that the house answers at `/mcp`."""
    said = scope_of("/mcp", [JSON, ACCEPT, *headers]) | {"method": method} | scope
    asyncio.run(application(said, line.receive, line.send))
    start, *parts = line.sent
    body = b"".join(part.get("body", b"") for part in parts)
    return start["status"], dict(start["headers"]), body


def call(
    key: str, tool: str, *, headers: Iterable[tuple[bytes, bytes]] = (), **arguments: Any
) -> dict[str, Any]:
    """What a tool answers by the revision before sessions were left out."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call",
             "params": {"name": tool, "arguments": arguments}}  # fmt: skip
    status, _, body = send(
        Line([json.dumps(asked).encode()]),
        bearer(key),
        (b"mcp-protocol-version", b"2025-06-18"),
        *headers,
    )
    assert status == 200, body
    [data] = [line[6:] for line in body.splitlines() if line.startswith(b"data: {")]
    answer: dict[str, Any] = json.loads(data)["result"]
    return answer


@pytest.mark.parametrize("headers", [(), (bearer("ps_key_nonsense"),), ((b"cookie", b"a=b"),)])
def test_nobody_is_answered_before_a_byte_of_the_body_is_read(
    headers: tuple[tuple[bytes, bytes], ...],
) -> None:
    line = Line([b"{}"])
    status, said, body = send(line, *headers)
    assert (status, line.taken) == (401, 0)
    assert said[b"www-authenticate"].startswith(b"Bearer")
    assert json.loads(body)["code"] in {"not_authenticated", "key_not_good"}


def test_a_key_of_other_calls_is_refused_before_the_body(alice: User) -> None:
    line = Line([b"{}"])
    status, _, body = send(line, bearer(make_key(alice, "verify")))
    assert (status, line.taken) == (403, 0)
    assert json.loads(body)["code"] == "key_scope_missing"


def test_a_body_over_the_bound_is_refused_before_it_is_read(alice: User) -> None:
    length = (b"content-length", str(2**30).encode())
    line = Line([b"{}"])
    assert send(line, bearer(make_key(alice)), length)[0] == 413
    assert line.taken == 0


def test_a_suspended_account_is_refused(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def suspended(*args: object, **named: object) -> None:
        raise restrictions.AccountSuspended

    monkeypatch.setattr(restrictions, "check", suspended)
    assert send(Line([b"{}"]), bearer(make_key(alice)))[0] == 403


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_there_is_no_session_to_listen_to_or_to_end(alice: User, method: str) -> None:
    status, said, _ = send(Line([]), bearer(make_key(alice)), method=method)
    assert (status, said[b"allow"]) == (405, b"POST")


def test_a_page_of_another_site_is_refused(alice: User) -> None:
    origin = (b"origin", b"https://elsewhere.example")
    assert send(Line([b"{}"]), bearer(make_key(alice)), origin)[0] == 403


def test_a_host_that_is_not_ours_is_refused(alice: User) -> None:
    headers = [(b"host", b"elsewhere.example"), JSON, ACCEPT, bearer(make_key(alice))]
    assert send(Line([b"{}"]), headers=headers)[0] == 400


def test_keys_are_not_taken_over_plain_http_in_production(alice: User, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT = True
    status, _, body = send(Line([b"{}"]), bearer(make_key(alice)))
    assert (status, json.loads(body)["code"]) == (403, "tls_required")


def test_a_tool_submits_what_the_api_submits(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "PATIENCE_S", 0.0)
    told = call(make_key(alice), "generate_image", prompt="a red apple", seed=7, n=2)
    assert told["isError"] is False
    asked = GenerationRequest.objects.get()
    assert (asked.owner, asked.prompt, asked.seed, asked.count) == (alice, "a red apple", 7, 2)
    assert told["structuredContent"]["id"] == str(asked.id)
    assert "get_generation" in told["content"][0]["text"]


def test_a_key_that_is_revoked_while_its_tool_waits_ends_the_wait(
    alice: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "LOOK_S", 0.01)
    looked = tools._look

    def look(request_id: UUID, caller: McpCaller) -> GenerationRequest:
        found = looked(request_id, caller)
        ApiKey.objects.update(revoked_at=timezone.now())
        return found

    monkeypatch.setattr(tools, "_look", look)
    told = call(make_key(alice), "generate_image", prompt="a red apple")
    assert told["isError"] is True
    assert told["structuredContent"]["code"] == "key_not_good"
    assert "revoked" in told["content"][0]["text"]


def test_another_s_request_is_not_found(
    alice: User, bob: User, model: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tools, "PATIENCE_S", 0.0)
    made = call(make_key(alice), "generate_image", prompt="a red apple")["structuredContent"]
    assert call(make_key(alice), "get_generation", id=made["id"])["isError"] is False
    told = call(make_key(bob), "get_generation", id=made["id"])
    assert told["structuredContent"]["code"] == "request_not_found"


@pytest.mark.parametrize(
    ("tool", "arguments", "named"),
    [
        ("generate_image", {"prompt": "a dog", "moderation": "low"}, "moderation"),
        ("generate_image", {"prompt": "a dog", "n": 11}, "n"),
        ("generate_image", {"prompt": "a dog", "size": "huge"}, "size"),
        ("edit_image", {"prompt": "a dog", "image": "AAAA", "masks": "AAAA"}, "masks"),
        ("get_generation", {"id": "1"}, "id"),
        ("generate_image", {"prompt": "a\0dog"}, "prompt"),
    ],
)
def test_a_wrong_argument_is_named(
    alice: User, model: BaseModel, tool: str, arguments: dict[str, Any], named: str
) -> None:
    told = call(make_key(alice), tool, **arguments)
    assert told["isError"] is True
    assert list(told["structuredContent"]["errors"]) == [named]
    assert GenerationRequest.objects.count() == 0


def test_our_header_names_whom_a_tool_acts_for(alice: User, model: BaseModel) -> None:
    call(make_key(alice), "generate_image", prompt="", headers=[(b"x-proofsheet-end-user", b"eve")])
    assert EndUser.objects.count() == 1


def test_an_address_is_not_fetched(alice: User, model: BaseModel) -> None:
    told = call(make_key(alice), "edit_image", prompt="a dog", image="http://192.0.2.1/a.png")
    assert told["structuredContent"]["code"] == "picture_not_sent"


def test_a_file_that_is_no_picture_is_told(alice: User) -> None:
    told = call(make_key(alice), "verify_picture", image=base64.b64encode(b"no picture").decode())
    assert told["isError"] is True
    assert told["structuredContent"]["code"] == "not_a_picture"


def test_the_text_of_a_refusal_holds_reason_and_both_addresses() -> None:
    refusal = {
        "code": "prompt_refused", "reason": "nudity", "statement": "1", "is_automated": True,
        "statement_url": "http://h/r/t", "appeal_url": "http://h/r/t/appeal",
    }  # fmt: skip
    raw = {
        "id": "1", "status": "refused", "is_held": False, "position": None, "code": "x",
        "refusal": refusal, "failure": None, "images": [], "failed_images": [],
        "waiting_url": None, "waits_for": None,
    }  # fmt: skip
    told = of_generation(raw, {})
    assert told.is_error
    assert told.structured_content["appeal_url"] == "http://h/r/t/appeal"
    [text] = told.content
    assert "Refused: nudity" in text.text  # type: ignore[union-attr] # the one block is text
    assert "http://h/r/t " in text.text  # type: ignore[union-attr] # likewise
    assert "http://h/r/t/appeal" in text.text  # type: ignore[union-attr] # likewise


def test_the_text_of_a_hold_holds_its_address_and_is_no_error() -> None:
    raw = {
        "id": "1", "status": "submitted", "is_held": True, "position": None, "code": "",
        "refusal": None, "failure": None, "images": [], "failed_images": [],
        "waiting_url": "http://h/r/t", "waits_for": None,
    }  # fmt: skip
    told = of_generation(raw, {})
    assert told.is_error is False
    [text] = told.content
    assert "http://h/r/t" in text.text  # type: ignore[union-attr] # likewise


def test_no_process_loads_the_protocol_before_it_is_called() -> None:
    look = "import sys, config.asgi; print('mcp' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", look], cwd=settings.ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip().endswith("False")
