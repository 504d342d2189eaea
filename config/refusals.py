"""What is answered before Django sees a request: a problem to programs, a sentence to people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

OF_PROGRAMS = ("/api/", "/sbr/", "/log/")


@dataclass(frozen=True, slots=True)
class Refusal:
    status: int
    code: str
    title: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def refuse(scope: Scope, send: Send, refusal: Refusal) -> None:
    """Answer, and close the connection: what else comes over it is not read."""
    if scope["path"].startswith(OF_PROGRAMS):
        kind = b"application/problem+json"
        problem = {
            "type": f"/problems/{refusal.code}",
            "title": refusal.title,
            "status": refusal.status,
            "code": refusal.code,
            "detail": refusal.detail,
        }
        body = json.dumps(problem).encode()
    else:
        kind = b"text/plain; charset=utf-8"
        body = f"{refusal.title} {refusal.detail} ({refusal.code})\n".encode()
    headers = [(b"content-type", kind), (b"connection", b"close"), *refusal.headers]
    headers += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
