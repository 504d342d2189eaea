"""Who sends a request, asked before its body is read, by what the API itself asks."""

from __future__ import annotations

import logging
from dataclasses import replace
from importlib import import_module
from io import BytesIO
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import close_old_connections
from django.urls import Resolver404, resolve
from django.utils import timezone
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.settings import api_settings

from config.core.api.problem_documents import BY_STATUS
from config.core.errors import ProofsheetError
from config.web import unavailable
from config.web.early_answers import EarlyAnswer, Scope
from config.web.request_limits import SIGN_IN_FIRST
from moderation.account_status import restrictions

logger = logging.getLogger(__name__)


class HeadersUnreadable(ProofsheetError):
    """Names or values that are no text."""

    default_code, default_message, default_advice = BY_STATUS[400]
    default_status = 400


async def identify(scope: Scope) -> int | EarlyAnswer:
    """The key of the account that sends a request, or why nobody's large body is taken."""
    return await sync_to_async(_identify, thread_sensitive=False)(scope)


def _identify(scope: Scope) -> int | EarlyAnswer:
    try:
        account = account_of(scope)
        if account is None:
            return SIGN_IN_FIRST
        restrictions.check(account, at=timezone.now())
        return account
    except ProofsheetError as error:
        return EarlyAnswer(error.status, error.code, error.message, error.advice)
    except APIException as error:
        code = str(error.get_codes()) if isinstance(error.detail, str) else error.default_code
        return replace(SIGN_IN_FIRST, code=code, title=str(error.detail))
    except unavailable.OUTAGES:
        retry_after = (b"retry-after", unavailable.RETRY_AFTER_S.encode())
        return EarlyAnswer(503, *BY_STATUS[503], headers=(retry_after,))
    except Exception:  # outside of Django nobody else makes an answer of it
        logger.exception("Who sends a body could not be asked")
        return EarlyAnswer(500, *BY_STATUS[500])
    finally:
        close_old_connections()


def account_of(scope: Scope) -> int | None:
    """By the session's cookie, or by a header that DRF's authentication classes read: these may
    ask what view it is for. A body has no say; the session's own class would read the form for its
    CSRF token, which comes later. Raises APIException, ProofsheetError."""
    request = _request(scope)
    sessions = import_module(settings.SESSION_ENGINE)
    request.session = sessions.SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
    user: Any = get_user(request)
    if user.is_authenticated:
        return int(user.pk)
    asked = Request(request, parser_context={"view": _view_at(scope["path"])})
    ways: list[Any] = list(api_settings.DEFAULT_AUTHENTICATION_CLASSES)
    for way in ways:
        if issubclass(way, SessionAuthentication):
            continue
        if (found := way().authenticate(asked)) is not None:
            return int(found[0].pk)
    return None


def _request(scope: Scope) -> Any:
    try:
        return ASGIRequest(scope, BytesIO())
    except ValueError as error:
        raise HeadersUnreadable from error


def _view_at(path: str) -> Any:
    """The API's view at an address, without a request; None for pages and where there is none."""
    try:
        made = getattr(resolve(path).func, "cls", None)
    except Resolver404:
        return None
    return made() if made else None
