"""Every answer names its request, and whoever stands before the house may have named it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.test import Client
from prometheus_client import REGISTRY
from pytest_django.fixtures import Settings

from config.core.watching import instruments, request_ids, tracing
from config.web.crowding import Proxies
from config.web.early_answers import EarlyAnswer, Message, Receive, Scope, Send, refuse
from config.web.watched_requests import WatchedRequests

PROXY = "10.0.0.1"
BUSY = EarlyAnswer(429, "too_many_at_once", "Too many.", "Wait.")


async def _refused(scope: Scope, receive: Receive, send: Send) -> None:
    await refuse(scope, send, BUSY)


async def _crashed(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError


async def _nothing() -> dict[str, Any]:
    return {}


async def _heard(message: Message) -> None:
    """By nobody."""


def answer_of(peer: str, *headers: tuple[bytes, bytes], path: str = "/v1/images") -> list[Any]:
    """What is sent by a house that refuses everybody."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http", "method": "GET", "path": path,
        "headers": list(headers), "client": (peer, 1),
    }  # fmt: skip
    door = WatchedRequests(_refused, proxies=Proxies.at([PROXY], count=1))
    asyncio.run(door(scope, _nothing, send))
    return sent


def id_in(sent: list[Any]) -> str:
    found: bytes = dict(sent[0]["headers"])[b"x-request-id"]
    return found.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1/images/nothing", "/sdapi/v1/nothing"])
def test_address_that_does_not_exist_names_the_request_in_header_and_body(path: str) -> None:
    answer = Client().get(path)
    assert answer.status_code == 404
    body = answer.json()
    said = body["error"] if isinstance(body["error"], dict) else body
    assert answer["X-Request-ID"] == said["request_id"]


@pytest.mark.django_db
def test_each_request_has_an_id_of_its_own() -> None:
    client = Client()
    assert len({client.get("/livez/nothing")["X-Request-ID"] for _ in range(3)}) == 3
    assert request_ids.current() == ""


def test_what_is_refused_before_django_is_named_and_counted() -> None:
    labels = {"method": "GET", "route": "early", "status": "429"}
    before = REGISTRY.get_sample_value("proofsheet_http_requests_total", labels) or 0
    sent = answer_of("203.0.113.9")
    assert id_in(sent).startswith("req_")
    assert id_in(sent) in sent[1]["body"].decode()
    assert REGISTRY.get_sample_value("proofsheet_http_requests_total", labels) == before + 1


def test_only_a_proxy_of_the_house_names_a_request() -> None:
    named = (b"X-Request-Id", b"edge-0123456789")
    assert id_in(answer_of(PROXY, named)) == "edge-0123456789"
    assert id_in(answer_of("203.0.113.9", named)).startswith("req_")


@pytest.mark.parametrize(
    "given", [b"short", b"a" * 65, b"two words", b"line\nbreak", "ä".encode() * 9]
)
def test_what_is_no_id_is_not_taken_from_a_proxy(given: bytes) -> None:
    assert id_in(answer_of(PROXY, (b"x-request-id", given))).startswith("req_")


def test_request_that_crashes_is_counted_as_an_error() -> None:
    labels = {"method": "other", "route": "early", "status": "500"}
    before = REGISTRY.get_sample_value("proofsheet_http_requests_total", labels) or 0
    scope: Scope = {"type": "http", "method": "BREW", "path": "/", "headers": [], "client": None}
    door = WatchedRequests(_crashed, proxies=Proxies.at([], count=0))
    with pytest.raises(RuntimeError):
        asyncio.run(door(scope, _nothing, _heard))
    assert REGISTRY.get_sample_value("proofsheet_http_requests_total", labels) == before + 1


def test_labels_have_few_values_however_many_come() -> None:
    told = {instruments.bounded("of this test", f"code_{number}") for number in range(500)}
    assert len(told) == instruments.VALUES_MAX + 1
    assert instruments.OTHER in told
    assert instruments.bounded("of this test", "A prompt, perhaps.") == instruments.OTHER
    assert instruments.bounded("of this test", "code_0") == "code_0"


@pytest.mark.parametrize("is_believed", [True, False])
def test_a_proxy_begins_traces_only_where_a_setting_says_so(
    settings: Settings, is_believed: bool
) -> None:
    settings.PROOFSHEET_TRACES_FROM_PROXY = is_believed
    began = f"00-{'a' * 32}-{'b' * 16}-01"
    followed: list[str] = []

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        followed.append(tracing.traceparent())

    scope = {
        "type": "http", "method": "GET", "path": "/", "client": (PROXY, 1),
        "headers": [(b"traceparent", began.encode())],
    }  # fmt: skip
    door = WatchedRequests(inside, proxies=Proxies.at([PROXY], count=1))
    asyncio.run(door(scope, _nothing, _heard))
    assert (("a" * 32) in followed[0]) is is_believed
