"""Signing up tells nobody which names and addresses there are.

Where an address must be verified anyway, a name or an address that is taken is answered like any
other: with a mail to the address. Without verification whoever signs up is let in at once, and
whoever is not let in learns why.
"""

from __future__ import annotations

from typing import Any

from allauth.account import app_settings
from allauth.account.app_settings import EmailVerificationMethod
from allauth.account.forms import SignupForm
from allauth.account.internal.userkit import filter_users_by_username
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from config.accounts.sign_in import logins


class SignUpForm(SignupForm):  # type: ignore[misc] # allauth has no types
    """Says of a taken name what is said of a free one, where addresses are verified."""

    def clean_username(self) -> str:
        logins.refuse_address(self.cleaned_data["username"])
        try:
            return str(super().clean_username())
        except ValidationError:
            name: str = self.cleaned_data["username"]
            is_taken = filter_users_by_username(name).exists()
            if not is_taken or app_settings.EMAIL_VERIFICATION != EmailVerificationMethod.MANDATORY:
                raise
            self.is_name_taken = True
            return name

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean()
        # After the address has been asked for, which sets it anew.
        self.account_already_exists |= getattr(self, "is_name_taken", False)
        return said

    def try_save(self, request: HttpRequest) -> Any:
        if self.account_already_exists:  # as long as making an account takes
            User().set_password(self.cleaned_data["password1"])
        return super().try_save(request)
