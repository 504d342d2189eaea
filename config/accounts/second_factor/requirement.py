"""Whoever holds a role of the house needs a second factor: who that is, and who has shown one."""

from __future__ import annotations

from typing import Any

from allauth.account.authentication import get_authentication_records
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.signals import authenticator_added
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest

from config.core.errors import ProofsheetError

# People from outside have this one: it opens no page of the house.
NO_ROLE_OF_THE_HOUSE = {"moderation.flag_with_trust"}
PROVED_BY_PROVIDER = "sign_on_factor"
"""A session's record: its identity provider has proved a factor that the settings count."""

_PROOFS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)


class SecondFactorNeeded(ProofsheetError):
    """A call that needs a proved factor, of an account with a role of the house."""

    default_code = "second_factor_needed"
    default_message = "Your role needs a second factor, and this account has not shown one."
    default_advice = "Set one up, or prove it, at /accounts/2fa/ in a browser; then try again."
    default_status = 403


def is_needed(user: User) -> bool:
    """Whether the house asks for one and this account holds a role of it."""
    if not settings.PROOFSHEET_SECOND_FACTOR:
        return False
    return user.is_staff or user.is_superuser or has_house_permission(user)


def has_house_permission(user: User) -> bool:
    """Whether the account may do anything beyond what people from outside may."""
    return bool(user.get_all_permissions() - NO_ROLE_OF_THE_HOUSE)


def has_one(user: User) -> bool:
    """Whether a factor is set up; recovery codes alone are none."""
    return bool(is_mfa_enabled(user, types=_PROOFS))


def is_proved(request: HttpRequest) -> bool:
    """Whether this session has shown one that the account still has, when signing in or since; or
    its identity provider has, whose word the settings count.
    """
    records = get_authentication_records(request, request.user)
    if any(record.get("method") == PROVED_BY_PROVIDER for record in records):
        return True
    shown = [record.get("id") for record in records if record.get("method") == "mfa"]
    current = Authenticator.objects.filter(user=request.user.pk, pk__in=[pk for pk in shown if pk])
    return bool(shown) and current.exists()


def check_key_of(user: User) -> None:
    """A key has no session: its owner must have one set up. Raises SecondFactorNeeded."""
    if is_needed(user) and not has_one(user):
        raise SecondFactorNeeded


def connect() -> None:
    """Count setting one up as proving it."""
    authenticator_added.connect(_proved_by_setting_up, dispatch_uid="house.second_factor")


def _proved_by_setting_up(
    *, request: HttpRequest, user: User, authenticator: Authenticator, **_: Any
) -> None:
    """Setting one up takes its code or its touch, and the password a moment before."""
    if authenticator.type in _PROOFS:
        record_authentication(
            request, user, "mfa", id=authenticator.pk, type=str(authenticator.type)
        )
