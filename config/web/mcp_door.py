"""The way to `/mcp`, beside Django: whose key it is, asked by the headers before a body is read."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from dataclasses import replace as with_
from io import BytesIO
from types import SimpleNamespace
from urllib.parse import urlsplit

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.utils import timezone
from django.utils.module_loading import import_string
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from config.accounts.api_keys.key_authentication import KeyAuthentication
from config.core.api.problem_documents import BY_STATUS
from config.core.api.throttles import UserThrottle
from config.core.errors import ProofsheetError
from config.web import maintenance_door, unavailable
from config.web.early_answers import EarlyAnswer, Receive, Scope, Send, refuse
from config.web.request_limits import BoundedBodies, Bounds
from generation.compat.mcp.mcp_caller import SCOPE_KEY, McpCaller
from generation.requests import maintenance
from moderation.account_status import restrictions

logger = logging.getLogger(__name__)
PATH = "/mcp"
_BEARER = (b"www-authenticate", b'Bearer realm="mcp"')
KEY_FIRST = EarlyAnswer(
    status=401,
    code="not_authenticated",
    title="Tools are called with an API key.",
    detail="Send it as Authorization: Bearer ps_key_….",
    headers=(_BEARER,),
)
POST_ONLY = EarlyAnswer(
    405, *BY_STATUS[405], headers=((b"allow", b"POST"),)
)  # no session, so nothing to listen to or to end
WRONG_HOST = EarlyAnswer(400, *BY_STATUS[400])
WRONG_ORIGIN = EarlyAnswer(
    status=403,
    code="origin_not_allowed",
    title="A page of another site may not call this.",
    detail="Call it from a program, or from a page of this house.",
)
TLS_FIRST = EarlyAnswer(
    status=403,
    code="tls_required",
    title="Keys are taken over https alone.",
    detail="Use the address that begins with https://.",
)
Application = Callable[[Scope, Receive, Send], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Needs:
    """What key_authentication asks of a view. Each tool asks for its own scope beside it."""

    key_scope: str = "read"


class McpDoor:
    """Takes what is sent to `/mcp`, and leaves everything else to `otherwise`."""

    def __init__(self, otherwise: Application, *, bounds: Bounds) -> None:
        self._otherwise = otherwise
        self._inside = BoundedBodies(_serve, bounds=bounds, identify=_account)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/") != PATH:
            await self._otherwise(scope, receive, send)
            return
        found = await sync_to_async(_caller, thread_sensitive=False)(scope)
        if isinstance(found, EarlyAnswer):
            await refuse(scope, send, found)
            return
        await self._inside({**scope, SCOPE_KEY: found}, receive, send)


async def _account(scope: Scope) -> int:
    """The door has let it in already."""
    caller: McpCaller = scope[SCOPE_KEY]
    return int(caller.user.pk)


async def _serve(scope: Scope, receive: Receive, send: Send) -> None:
    """Loads the protocol's package at the first call, in a thread: see its module."""
    name = "generation.compat.mcp.mcp_serving.serve"
    serve = await sync_to_async(import_string, thread_sensitive=False)(name)
    await serve(scope, receive, send)


def _caller(scope: Scope) -> McpCaller | EarlyAnswer:
    try:
        if maintenance_door.is_closed():
            raise maintenance.UnderMaintenance
        return _of_key(ASGIRequest(scope, BytesIO()))
    except (ValueError, DisallowedHost):
        return WRONG_HOST
    except ProofsheetError as error:
        wait_s = getattr(error, "retry_after_s", None)
        headers = ((b"retry-after", str(wait_s).encode()),) if wait_s is not None else ()
        return EarlyAnswer(error.status, error.code, error.message, error.advice, headers)
    except APIException as error:
        return with_(KEY_FIRST, code=str(error.get_codes()), title=str(error.detail))
    except unavailable.OUTAGES:
        retry_after = (b"retry-after", unavailable.RETRY_AFTER_S.encode())
        return EarlyAnswer(503, *BY_STATUS[503], headers=(retry_after,))
    except Exception:  # outside of Django nobody else makes an answer of it
        logger.exception("Whose key came to /mcp could not be asked")
        return EarlyAnswer(500, *BY_STATUS[500])
    finally:
        close_old_connections()


def _of_key(request: ASGIRequest) -> McpCaller | EarlyAnswer:
    if (wrong := _wrong(request)) is not None:
        return wrong
    asked = Request(request, parser_context={"view": _Needs()})
    if (found := KeyAuthentication().authenticate(asked)) is None:
        return KEY_FIRST
    user, key = found
    restrictions.check(user.pk, at=timezone.now())
    request.user, request.auth, limit = user, key, UserThrottle()  # type: ignore[attr-defined] # as DRF's has
    if not limit.allow_request(request, SimpleNamespace()):  # type: ignore[arg-type] # asks the user alone
        retry_after = (b"retry-after", str(max(1, round(limit.wait() or 1))).encode())
        return EarlyAnswer(429, *BY_STATUS[429], headers=(retry_after,))
    return McpCaller(user, key, request)


def _wrong(request: ASGIRequest) -> EarlyAnswer | None:
    """Django's middleware stands beside this; what of it matters here. Raises DisallowedHost."""
    host, origin = request.get_host(), request.headers.get("Origin")
    if settings.SECURE_SSL_REDIRECT and not request.is_secure():
        return TLS_FIRST
    is_own = origin is None or urlsplit(origin).netloc == host
    if not is_own and origin not in settings.CSRF_TRUSTED_ORIGINS:
        return WRONG_ORIGIN
    return None if request.method == "POST" else POST_ONLY
