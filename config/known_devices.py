"""A browser that an account was signed in from before is counted apart from strangers.

So somebody else's wrong passwords for a name lock nobody out who has been in before. The cookie
lets nobody in: it names the device and, as digests, the accounts that it knows.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

COOKIE = "known_device"
LIFETIME_S = 365 * 24 * 3600
_SALT = "config.known_devices"
_MOST_NAMES = 10


def device_of(request: HttpRequest, login: str) -> str | None:
    """The device's id, if that account was signed in from it."""
    device, names = _read(request)
    return device if _digest(login) in names else None


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    device, names = _read(request)
    own = [_digest(name) for name in (user.username, user.email) if name]
    kept = [name for name in names if name not in own][: _MOST_NAMES - len(own)]
    response.set_cookie(
        COOKIE,
        signing.dumps([device or secrets.token_urlsafe(12), own + kept], salt=_SALT),
        max_age=LIFETIME_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str | None, list[str]]:
    try:
        device, names = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME_S
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None, []
    return device, names


def _digest(login: str) -> str:
    return salted_hmac(_SALT, login.strip().lower(), algorithm="sha256").hexdigest()[:24]
