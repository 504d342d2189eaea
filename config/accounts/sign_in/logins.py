"""Which account a login means, and whether a password is its: always one account, one hash.

Names and addresses are one field of the form. Who tried several accounts, or one twice, would tell
by the time which of them exist.
"""

from __future__ import annotations

from typing import Any

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest


def refuse_address(name: str) -> None:
    """For names to be: one that looks like an address could be somebody else's."""
    if "@" in name:
        raise ValidationError("A name has no @. You can sign in with your address as well.")


def login_of(credentials: dict[str, Any]) -> str:
    """The name or address that was typed, as both are compared: trimmed, in lower case."""
    return str(credentials.get("username") or credentials.get("email") or "").strip().lower()


def account_of(login: str) -> User | None:
    """By its address, verified before others and main before others; else by its name."""
    named: User | None = get_user_by_username(login)
    found: list[User] = filter_users_by_email(login, prefer_verified=True, for_login=True)
    return min(found, key=lambda user: (user.email.lower() != login, user.pk), default=named)


class Passwords(AuthenticationBackend):  # type: ignore[misc] # allauth has no types
    """Takes the place of Django's backend too, whose permissions it has."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> User | None:
        account = account_of(login_of(credentials))
        found: User | None = self._check_password(account, credentials["password"])
        return found
