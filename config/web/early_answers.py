"""What is answered before Django sees a request: a problem to programs, a sentence to people."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from config.core.api.error_dialects import told
from config.core.api.problem_documents import document, is_for_programs

Message = Mapping[str, Any]
Scope = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class EarlyAnswer:
    """One answer; `detail` says what to do."""

    status: int
    code: str
    title: str
    detail: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


async def refuse(scope: Scope, send: Send, refusal: EarlyAnswer) -> None:
    """Answer, and close the connection: what else comes over it is not read."""
    if is_for_programs(scope["path"]):
        problem = document(
            status=refusal.status, code=refusal.code, title=refusal.title, detail=refusal.detail
        )
        said = told(scope["path"], problem)
        status, kind, body = said.status, said.content_type.encode(), json.dumps(said.body).encode()
    else:
        status, kind = refusal.status, b"text/plain; charset=utf-8"
        body = f"{refusal.title} {refusal.detail} ({refusal.code})\n".encode()
    headers = [(b"content-type", kind), (b"connection", b"close"), *refusal.headers]
    headers += [(b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff")]
    headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
