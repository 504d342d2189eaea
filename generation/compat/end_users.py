"""Whom a client says that it acts for: the first of what OpenAI's body, our header and Open WebUI's
headers claim. Nothing but the claimed id is read; it becomes a digest, and is kept nowhere.
"""

from __future__ import annotations

from typing import Any

import jwt
from django.conf import settings
from django.http import HttpRequest

from config.core.errors import ProofsheetError
from config.core.projects.calling import END_USER_HEADER

OPEN_WEBUI_TOKEN, OPEN_WEBUI_ID = "X-OpenWebUI-User-Jwt", "X-OpenWebUI-User-Id"


class EndUserTokenBad(ProofsheetError):
    """It was signed with another secret, or is over: nobody is guessed instead."""

    default_code = "end_user_token_bad"
    default_message = f"The header {OPEN_WEBUI_TOKEN} does not verify."
    default_advice = "Give both sides the same secret, and look at their clocks."


def claimed(request: HttpRequest | Any, *members: str) -> str:
    """The id, empty where none is claimed. `members` are those of the body, the first first.

    Raises EndUserTokenBad.
    """
    said = next((member for member in members if member), "")
    return said or request.headers.get(END_USER_HEADER, "") or _by_open_webui(request)


def _by_open_webui(request: HttpRequest | Any) -> str:
    token, secret = request.headers.get(OPEN_WEBUI_TOKEN, ""), settings.PROOFSHEET_OPEN_WEBUI_SECRET
    if token and secret:
        return _subject(token, secret)
    if settings.PROOFSHEET_OPEN_WEBUI_UNSIGNED:
        return str(request.headers.get(OPEN_WEBUI_ID, ""))
    return ""


def _subject(token: str, secret: str) -> str:
    try:
        said = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            issuer="open-webui",
            options={"require": ["exp", "sub"], "verify_aud": False},
        )
    except jwt.InvalidTokenError as error:
        raise EndUserTokenBad from error
    return str(said["sub"])
