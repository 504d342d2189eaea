"""The protocol's own client calls the tools of `/mcp`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from tests.clients.conftest import REFUSED, ClientHouse, Driver, get

pytestmark = pytest.mark.clients


@pytest.fixture
def tool(python_driver: Callable[..., Driver]) -> Callable[..., dict[str, Any]]:
    """`tool("generate_image", prompt="a cat")`; of another person by `person=`."""

    def call(name: str, *, person: str = "alice", **arguments: Any) -> dict[str, Any]:
        driver = python_driver("mcp_client", "today", person=person)
        return driver("tool", tool=name, arguments=arguments)

    return call


def test_the_tools_are_listed_and_none_loosens_the_policy(
    python_driver: Callable[..., Driver],
) -> None:
    tools = python_driver("mcp_client", "today")("tools")["tools"]
    assert set(tools) == {
        "generate_image", "edit_image", "get_generation", "list_models", "verify_picture",
    }  # fmt: skip
    loose = {"moderation", "policy", "safety", "tier", "profile", "audience"}
    assert not loose & {name for schema in tools.values() for name in schema["properties"]}


def test_a_picture_comes_with_preview_link_and_values(
    tool: Callable[..., Any], house: ClientHouse
) -> None:
    made = tool("generate_image", prompt="a red apple", seed=7)
    assert made["is_error"] is False, made
    kinds = [each["type"] for each in made["content"]]
    assert kinds == ["text", "image", "resource_link"]
    preview, link = made["content"][1:]
    assert base64.b64decode(preview["data"]).startswith(b"\xff\xd8")
    key = {"Authorization": f"Bearer {house.keys['alice']}"}
    assert get(link["uri"], headers=key).content.startswith(b"\x89PNG")
    assert made["said"]["images"][0]["file_url"] == link["uri"]
    proved = tool("verify_picture", image=preview["data"])
    assert proved["said"]["is_ours"] is True
    assert tool("get_generation", id=made["said"]["id"])["said"]["status"] == "finished"


def test_a_picture_is_edited_by_its_bytes_and_by_its_id(tool: Callable[..., Any], png: str) -> None:
    edited = tool("edit_image", prompt="a red apple", image=png, strength=0.5)
    assert edited["is_error"] is False, edited
    made = tool("generate_image", prompt="a red apple", seed=7)
    again = tool("edit_image", prompt="a pear", image=made["said"]["images"][0]["id"])
    assert again["is_error"] is False, again


def test_several_pictures_of_a_size_come(tool: Callable[..., Any]) -> None:
    [model, *_] = tool("list_models")["said"]["models"]
    size = "{width}x{height}".format(**model["sizes"][0])
    made = tool("generate_image", prompt="a cat", size=size, n=2, model=model["slug"])
    assert len(made["said"]["images"]) == 2


def test_a_refusal_shows_its_reason_and_a_working_appeal(
    tool: Callable[..., Any], house: ClientHouse
) -> None:
    told = tool("generate_image", prompt=REFUSED)
    assert told["is_error"] is True
    assert told["said"]["code"] == "prompt_refused"
    assert told["said"]["appeal_url"] in told["shown"]
    assert told["said"]["statement_url"] in told["shown"]
    answer = get(told["said"]["appeal_url"], follow_redirects=True)
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("name", "arguments", "part"),
    [
        ("generate_image", {"prompt": "a cat", "n": 11}, "n: "),
        ("generate_image", {"prompt": "a cat", "size": "17x17"}, "Choose one of"),
        ("generate_image", {"prompt": "a cat", "model": "dall-e-9"}, "model"),
        ("generate_image", {"prompt": "a cat", "moderation": "low"}, "moderation: "),
        ("generate_image", {"prompt": "x" * 33_000}, "Shorten it"),
        ("edit_image", {"prompt": "a cat", "image": "http://192.0.2.1/a.png"}, "neither base64"),
        ("edit_image", {"prompt": "a cat", "image": "aGVsbG8="}, "picture"),
        ("get_generation", {"id": "00000000-0000-4000-8000-000000000000"}, "no such request"),
        ("verify_picture", {"image": "aGVsbG8="}, "picture"),
    ],
)
def test_what_cannot_be_done_is_named(
    tool: Callable[..., Any], name: str, arguments: dict[str, Any], part: str
) -> None:
    told = tool(name, **arguments)
    assert told["is_error"] is True
    assert part in told["shown"], told["shown"]


def test_a_tool_asks_for_its_scope(tool: Callable[..., Any]) -> None:
    assert tool("list_models", person="reader")["is_error"] is False
    told = tool("generate_image", person="reader", prompt="a cat")
    assert told["is_error"] is True
    assert told["said"]["code"] == "key_scope_missing"


def test_a_revoked_key_opens_nothing(python_driver: Callable[..., Driver]) -> None:
    assert python_driver("mcp_client", "today", person="gone")("tools")["ok"] is False
