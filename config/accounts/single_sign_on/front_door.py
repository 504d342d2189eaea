"""The way in, where a house has providers: who may have a password, and what a sign-in is worth.

Emergency accounts are local ones that keep their password while single sign-on is enforced, for
the day on which the provider is away. Each use is logged, and mailed to whoever may change roles.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any

from allauth.account.internal.flows.login import (
    get_authentication_records,
    record_authentication,
)
from allauth.account.internal.stagekit import clear_login
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.accounts.second_factor import requirement
from config.accounts.sign_in.login_redirect import Entrance
from config.accounts.single_sign_on import emergency_use
from config.accounts.single_sign_on.models import ProvisionedUser
from config.accounts.single_sign_on.sign_on_file import IdentityProvider
from config.accounts.single_sign_on.sign_on_refusals import (
    EmergencyWithoutFactor,
    PasswordNotForThis,
)
from config.accounts.single_sign_on.sign_on_told import told
from config.core.errors import ProofsheetError
from config.core.pages import problem

logger = logging.getLogger(__name__)


def may_have_password(account: User) -> bool:
    """Not who came through a provider: it could not end such a way in. Where single sign-on is
    enforced, emergency accounts alone.
    """
    if told().is_enforced:
        return is_for_emergencies(account)
    if not told().providers or account.has_usable_password():
        return True
    came_by_scim = ProvisionedUser.objects.filter(account=account).exists()
    return not came_by_scim and not SocialAccount.objects.filter(user=account).exists()


def is_for_emergencies(account: User) -> bool:
    """Whether the file names it."""
    return account.get_username() in told().emergency


class FrontDoor(Entrance):
    """The house's way in, as it is with providers; without any it is the same."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return not told().is_enforced

    def clean_password(self, password: str, user: User | None = None) -> str:
        if user is not None and user.pk and not may_have_password(user):
            raise ValidationError(str(PasswordNotForThis()))
        return str(super().clean_password(password, user))

    def send_password_reset_mail(self, user: User, email: str, context: dict[str, Any]) -> None:
        if may_have_password(user):
            super().send_password_reset_mail(user, email, context)
        else:
            words = {"providers": told().names}
            self.send_mail("account/email/no_password", email, context | words)

    def pre_login(self, request: HttpRequest, user: User, **said: Any) -> HttpResponse | None:
        closed: HttpResponse | None = super().pre_login(request, user, **said)
        arrival = (said.get("signal_kwargs") or {}).get("sociallogin")
        if closed is not None:
            return closed
        if arrival is not None:
            _count_factor(request, user, arrival)
        elif refusal := _refusal(user):
            clear_login(request)
            return problem(request, refusal)
        return None

    def post_login(self, request: HttpRequest, user: User, **said: Any) -> HttpResponse:
        response = super().post_login(request, user, **said)
        if provider := _provider_of_session(request, user):
            request.session.set_expiry(timezone.now() + timedelta(hours=provider.session_hours))
        elif told().is_enforced:
            emergency_use.tell(user, at=timezone.now())
        return response


def _refusal(user: User) -> ProofsheetError | None:
    """Why a right password does not open the account."""
    if not told().is_enforced:
        return None
    if not is_for_emergencies(user):
        return PasswordNotForThis()
    return None if requirement.has_one(user) else EmergencyWithoutFactor()


def _count_factor(request: HttpRequest, user: User, arrival: Any) -> None:
    """The provider's word for a second factor, where the file says which words count."""
    provider = told().provider(arrival.said.provider)
    if provider and arrival.said.methods & set(provider.second_factor):
        record_authentication(
            request, user, requirement.PROVED_BY_PROVIDER, provider=arrival.said.provider
        )


def _provider_of_session(request: HttpRequest, user: User) -> IdentityProvider | None:
    records = get_authentication_records(request, user)
    ways = [one for one in records if one.get("method") in {"password", "socialaccount"}]
    is_arrival = bool(ways) and ways[-1]["method"] == "socialaccount"
    return told().provider(ways[-1].get("provider", "")) if is_arrival else None
