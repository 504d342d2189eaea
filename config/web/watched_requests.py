"""Every HTTP request has an id, which its answer and every line about it carry, and is counted.

`WatchedRequests` stands before everything, for many a request never gets to Django; `RequestIds` is
its part inside, where the address is known.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from time import perf_counter

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry.trace import Span, SpanKind

from config.core.watching import instruments, request_ids, tracing
from config.web.crowding import Proxies, peer_of
from config.web.early_answers import Message, Receive, Scope, Send
from config.web.request_limits import Application

logger = logging.getLogger(__name__)
HEADER, TRACEPARENT = b"x-request-id", b"traceparent"
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_ID = re.compile(rb"[A-Za-z0-9._-]{8,64}")


class WatchedRequests:
    """Pure ASGI. A proxy of the house may have given the request an id already."""

    def __init__(self, app: Application, *, proxies: Proxies) -> None:
        self._app = app
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, is_answered = perf_counter(), False

        async def tell(message: Message) -> None:
            nonlocal is_answered
            if message["type"] == "http.response.start":
                is_answered = True
                _note(scope, span, answered.route, message["status"], perf_counter() - began_s)
                message = {**message, "headers": _with_id(message["headers"], answered.id)}
            await send(message)

        given = self._given(scope)
        with request_ids.answering(given.get(HEADER, "")) as answered, tracing.apart():
            tracing.follow(given.get(TRACEPARENT, ""))
            with tracing.step(_method(scope), kind=SpanKind.SERVER) as span:
                try:
                    await self._app(scope, receive, tell)
                finally:
                    if not is_answered:
                        _note(scope, span, answered.route, 500, perf_counter() - began_s)

    def _given(self, scope: Scope) -> dict[bytes, str]:
        """What a proxy of the house calls the request; nobody else is believed."""
        if not self._proxies.are_at(peer_of(scope)):
            return {}
        known = (HEADER, TRACEPARENT) if settings.PROOFSHEET_TRACES_FROM_PROXY else (HEADER,)
        return {
            name.lower(): value.decode()
            for name, value in scope["headers"]
            if name.lower() in known and _ID.fullmatch(value)
        }


class RequestIds:
    """Django's part: which address it was, and the id where no server stands before Django."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with request_ids.answering() as answered:
            response = self._get_response(request)
            match = request.resolver_match
            answered.route = f"/{match.route}" if match else "unknown"
            response["X-Request-ID"] = answered.id
            return response


def _with_id(headers: list[tuple[bytes, bytes]], request_id: str) -> list[tuple[bytes, bytes]]:
    kept = [each for each in headers if each[0].lower() != HEADER]
    return [*kept, (HEADER, request_id.encode())]


def _method(scope: Scope) -> str:
    return scope["method"] if scope["method"] in METHODS else instruments.OTHER


def _note(scope: Scope, span: Span, route: str, status: int, took_s: float) -> None:
    method, route = _method(scope), route or "early"  # answered before Django
    span.update_name(f"{method} {route}")
    span.set_attributes(
        {"http.request.method": method, "http.route": route, "http.response.status_code": status}
    )
    instruments.HTTP_REQUESTS.labels(method, route, str(status)).inc()
    instruments.HTTP_SECONDS.labels(route).observe(took_s)
    said = {"method": method, "route": route, "status": status, "seconds": round(took_s, 4)}
    logger.info("%(method)s %(route)s %(status)d", said, extra={"said": said})
