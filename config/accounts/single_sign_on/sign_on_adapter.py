"""What happens when a provider has told who somebody is: whose account that is, or a new one.

An account is found by the provider's id and the person's there, or by SCIM's own id, and in no
other way. What a provider says of an address opens nobody's account.
"""

from __future__ import annotations

from typing import Any

from allauth.account.utils import filter_users_by_email
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter, _build_apps_from_settings
from allauth.socialaccount.models import SocialAccount, SocialApp, SocialLogin
from allauth.socialaccount.providers.base import AuthError, AuthProcess
from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils import timezone
from requests import RequestException, Session

from config.accounts.single_sign_on import provided_roles, said_by_provider
from config.accounts.single_sign_on.models import ProvisionedGroup, ProvisionedUser
from config.accounts.single_sign_on.provider_calls import BoundedSession
from config.accounts.single_sign_on.said_by_provider import Said
from config.accounts.single_sign_on.sign_on_file import IdentityProvider
from config.accounts.single_sign_on.sign_on_refusals import (
    AddressMissing,
    AddressTaken,
    GroupsLeftOut,
    ProviderAway,
    SignOnCancelled,
    SignOnFailed,
    SignUpNotOpen,
)
from config.accounts.single_sign_on.sign_on_told import provider_told, told


class Arrivals(DefaultSocialAccountAdapter):  # type: ignore[misc] # allauth has no types
    """Whoever comes from a provider. Providers stand in the file, none in the database."""

    def list_apps(
        self, request: HttpRequest, provider: str | None = None, client_id: str | None = None
    ) -> list[SocialApp]:
        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def get_requests_session(self) -> Session:
        return BoundedSession()

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Never: whoever controls a provider would otherwise be anybody."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        if sociallogin.state.get("process") == AuthProcess.CONNECT:
            return
        said: Said = sociallogin.said
        if not sociallogin.is_existing:
            _take_up_provisioned(sociallogin, said)
        if sociallogin.is_existing:
            _settle(request, sociallogin.user, said)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Raises why not, as one sentence."""
        said: Said = sociallogin.said
        provider = provider_told(said.provider)
        if provider.sign_up == "closed":
            raise SignUpNotOpen
        if (
            provider.sign_up == "mapped"
            and not (said.groups or frozenset()) & provider.roles.keys()
        ):
            raise GroupsLeftOut if said.groups is None else SignUpNotOpen
        if not said.email or (provider.domains and not _is_let_in(said, provider)):
            raise AddressMissing
        if filter_users_by_email(said.email):
            raise AddressTaken
        return True

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        return True  # a form would ask for what the provider has said

    def is_email_verified(self, provider: Any, email: str) -> bool:
        return False  # the provider's own word is in `Said`, weighed by the file

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        user: User = super().save_user(request, sociallogin, form)
        _settle(request, user, sociallogin.said)
        return user

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> User:
        """A name and an address: what else the provider knows stays there."""
        user: User = sociallogin.user
        user.username = str(data.get("username") or "").partition("@")[0]
        user.email = str(data.get("email") or "")
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: str | None = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Every failure of allauth's is one of ours, with its sentence."""
        if isinstance(exception, RequestException):
            raise ProviderAway from exception
        if error == AuthError.CANCELLED:
            raise SignOnCancelled
        raise SignOnFailed from exception


def _is_let_in(said: Said, provider: IdentityProvider) -> bool:
    is_sure = said.is_email_verified or provider.is_email_trusted
    return is_sure and said_by_provider.is_of(said.email, provider.domains)


def _take_up_provisioned(sociallogin: SocialLogin, said: Said) -> None:
    """The account that SCIM made for the very person, by the id that the same provider gave both.
    One that has come in before under another id is not taken.
    """
    provisioning = told().provisioning
    if provisioning is None or provisioning.provider != said.provider or not said.external_id:
        return
    found = ProvisionedUser.objects.select_related("account").filter(
        scim_external_id=said.external_id, deleted_at=None
    )
    row = found.first()
    if row is None or SocialAccount.objects.filter(user=row.account).exists():
        return
    sociallogin.user = sociallogin.account.user = row.account
    sociallogin.account.save()


def _settle(request: HttpRequest, account: User, said: Said) -> None:
    provider = provider_told(said.provider)
    roles = _roles(provider, said, account)
    done = provided_roles.settle(account, roles=roles, source=provider.id, at=timezone.now())
    if said.groups is None and provider.roles_from == "claims":
        messages.warning(request, str(GroupsLeftOut()))
    elif done.refused:
        names = ", ".join(sorted(done.refused))
        messages.warning(request, f"Your groups give a role that you cannot have here: {names}.")


def _roles(provider: IdentityProvider, said: Said, account: User) -> frozenset[str]:
    groups = said.groups
    if provider.roles_from == "scim":
        rows = ProvisionedGroup.objects.filter(members__account=account)
        groups = frozenset(rows.values_list("display_name", flat=True))
    return said_by_provider.roles_of(groups or (), provider.roles)
