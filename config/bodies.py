"""Bounds a request's body before Django sees it.

Under ASGI Django spools the whole body to disk before any view or form can refuse it, so a bound
in a view comes too late. Pure ASGI, no Django.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

SENTENCE = "The body is larger than this address accepts: {limit} bytes. Send a smaller one."


class BoundedBodies:
    """Answers 413 for a body over `default_bytes`, or over the bound of the path in `path_bytes`.

    A declared length is refused without reading; an undeclared one when it passes the bound.
    """

    def __init__(
        self, app: Application, *, default_bytes: int, path_bytes: Mapping[str, int]
    ) -> None:
        self._app = app
        self._default = default_bytes
        self._paths = path_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = self._paths.get(scope["path"], self._default)
        if _declared(scope) > limit:
            await _refuse(scope, send, limit)
            return
        watch = _Watch(receive, send, limit)
        await self._app(scope, watch.receive, watch.send)
        if watch.is_over and not watch.has_answered:
            await _refuse(scope, send, limit)


class _Watch:
    """Counts what arrives; past the limit the application is told that the client has gone."""

    def __init__(self, receive: Receive, send: Send, limit: int) -> None:
        self._receive = receive
        self._send = send
        self._left = limit
        self.has_answered = False

    @property
    def is_over(self) -> bool:
        return self._left < 0

    async def receive(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return {"type": "http.disconnect"} if self.is_over else message

    async def send(self, message: Message) -> None:
        self.has_answered = True
        await self._send(message)


def _declared(scope: Scope) -> int:
    """The length that the client declares, 0 for none or nonsense (the count then decides)."""
    for name, value in scope["headers"]:
        if name.lower() == b"content-length" and value.isdigit():
            return int(value)
    return 0


async def _refuse(scope: Scope, send: Send, limit: int) -> None:
    sentence = SENTENCE.format(limit=limit)
    if scope["path"].startswith("/api/"):
        kind = b"application/problem+json"
        problem = {"type": "/problems/too_large", "title": sentence, "status": 413}
        body = json.dumps(problem | {"code": "too_large"}).encode()
    else:
        kind, body = b"text/plain; charset=utf-8", f"{sentence} (too_large)\n".encode()
    headers = [(b"content-type", kind), (b"connection", b"close")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": body})
