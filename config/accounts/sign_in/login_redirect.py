"""Coming in: how wrong passwords are counted, and where somebody lands after signing in."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.internal.flows.signup import get_signup_url
from allauth.account.utils import filter_users_by_email
from allauth.core.internal import ratelimit
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from config.accounts.second_factor import requirement
from config.accounts.sign_in import known_devices, logins
from moderation.account_status import restrictions

_APP = "allauth.account"


class Entrance(DefaultAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Wrong passwords count by address and name, more loosely by name, and for devices that the
    account knows by those and their address alone: nobody locks somebody else out of it.
    """

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        login = logins.login_of(credentials)
        if device := known_devices.device_of(request, logins.account_of(login)):
            counted = [("login_failed_device", f"{device}:{login}")]
        else:
            name = self._get_login_attempts_cache_key(request, **credentials)
            counted = [("login_failed", name), ("login_failed_name", login)]
        usage = ratelimit.RateLimitUsage(usage=[])
        for action, key in counted:
            one = ratelimit.consume(request, app=_APP, action=action, key=key)
            if not one:
                raise self.validation_error("too_many_login_attempts")
            usage.usage += one.usage
        self._login_failed_rl_usage = usage

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        return f"{ratelimit.get_ip(request)}:{logins.login_of(credentials)}"

    def _delete_login_attempts_cached_email(self, request: HttpRequest, **credentials: Any) -> None:
        super()._delete_login_attempts_cached_email(request, **credentials)
        key = logins.login_of(credentials)
        ratelimit.clear(request, app=_APP, action="login_failed_name", key=key)

    def get_reauthentication_methods(self, user: User) -> list[dict[str, Any]]:
        """Not by the password, where the session still has to prove a second factor."""
        ways: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [way for way in ways if way["id"] != "reauthenticate"]
        is_owed = factors and requirement.is_needed(user)
        return factors if is_owed and not requirement.is_proved(self.request) else ways

    def send_account_already_exists_mail(self, email: str) -> None:
        """Where only the name is taken, the mail says that instead."""
        if filter_users_by_email(email):
            super().send_account_already_exists_mail(email)
        else:
            words = {"signup_url": get_signup_url(self.request)}
            self.send_mail("account/email/name_taken", email, words)

    def post_login(self, request: HttpRequest, user: User, **said: Any) -> HttpResponse:
        response: HttpResponse = super().post_login(request, user, **said)
        if restrictions.suspension_of(user.pk, at=timezone.now()):
            response = redirect("moderation:standing")
        known_devices.remember(request, response, user)
        return response
