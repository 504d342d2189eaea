"""A browser that an account was signed in from before is counted apart from strangers.

So somebody else's wrong passwords for a name lock nobody out who has been in before. The cookie
lets nobody in: it names the device and the ids of the accounts that know it. Not their logins:
what one account is called may be what another is mailed at.
"""

from __future__ import annotations

import secrets

from django.conf import settings
from django.contrib.auth.models import User
from django.core import signing
from django.http import HttpRequest, HttpResponse

COOKIE = "known_device"
LIFETIME_S = 365 * 24 * 3600
_SALT = "config.known_devices.accounts"  # signs cookies that are out there: not a module's name
_MOST_ACCOUNTS = 10


def device_of(request: HttpRequest, account: User | None) -> str | None:
    """The device's id, if that account was signed in from it."""
    device, known = _read(request)
    return device if account is not None and account.pk in known else None


def remember(request: HttpRequest, response: HttpResponse, user: User) -> None:
    """Write the account into the device's cookie; of many the oldest is forgotten."""
    device, known = _read(request)
    kept = [pk for pk in known if pk != user.pk][: _MOST_ACCOUNTS - 1]
    response.set_cookie(
        COOKIE,
        signing.dumps([device or secrets.token_urlsafe(12), [user.pk, *kept]], salt=_SALT),
        max_age=LIFETIME_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str | None, list[int]]:
    try:
        device, known = signing.loads(
            request.COOKIES.get(COOKIE, ""), salt=_SALT, max_age=LIFETIME_S
        )
    except (signing.BadSignature, ValueError, TypeError):
        return None, []
    return device, known
