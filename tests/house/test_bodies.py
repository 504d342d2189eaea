"""Bodies are bounded before Django writes them to its disk."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from config.asgi import application
from config.bodies import BoundedBodies, Message, Receive, Scope, Send


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Reads like Django: all of the body, or nothing is answered once the client has gone."""
    size, is_last = 0, False
    while not is_last:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        is_last = not message.get("more_body", False)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(size).encode()})


def ask(app: Any, path: str, chunks: list[bytes], *, declared: int | None = None) -> list[Message]:
    """What `app` sends for a POST whose body arrives in `chunks`."""
    headers = [] if declared is None else [(b"content-length", str(declared).encode())]
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST",
        "scheme": "http", "path": path, "raw_path": path.encode(), "query_string": b"",
        "headers": [(b"host", b"localhost"), *headers], "server": ("localhost", 80),
    }  # fmt: skip
    arriving: Iterator[Message] = iter(
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    )
    sent: list[Message] = []

    async def receive() -> Message:
        return next(arriving, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return sent


bounded = BoundedBodies(_echo, default_bytes=10, path_bytes={"/adapters/upload/": 100})


@pytest.mark.parametrize("declared", [10, None])
def test_body_within_the_bound_arrives_whole(declared: int | None) -> None:
    start, body = ask(bounded, "/verify/", [b"12345", b"67890"], declared=declared)
    assert (start["status"], body["body"]) == (200, b"10")


@pytest.mark.parametrize("declared", [11, None])
def test_body_over_the_bound_is_refused(declared: int | None) -> None:
    start, body = ask(bounded, "/verify/", [b"12345", b"678901"], declared=declared)
    assert start["status"] == 413
    assert b"(too_large)" in body["body"]


def test_client_that_declares_less_than_it_sends_is_refused_too() -> None:
    start, _ = ask(bounded, "/verify/", [b"x" * 11], declared=3)
    assert start["status"] == 413


def test_path_with_a_bound_of_its_own_takes_more() -> None:
    start, _ = ask(bounded, "/adapters/upload/", [b"x" * 100])
    assert start["status"] == 200


def test_api_answers_with_a_problem_and_its_code() -> None:
    start, body = ask(bounded, "/api/v1/verify/", [], declared=11)
    assert dict(start["headers"])[b"content-type"] == b"application/problem+json"
    assert b'"code": "too_large"' in body["body"]


def test_house_refuses_a_huge_declared_body_without_reading_it() -> None:
    start, _ = ask(application, "/verify/", [], declared=2**40)
    assert start["status"] == 413
