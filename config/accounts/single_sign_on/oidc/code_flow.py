"""From the code that a browser brings back to what the provider says of its person.

OpenID Connect Core 1.0, 3.1.3.7 and 5.3.2, Discovery 1.0, 4.3, and RFC 9207: the signature of the
ID token is verified although it came over TLS, the nonce is this session's, `userinfo` is of the
same person, and the issuer is the one of the file, wherever it is named.
"""

from __future__ import annotations

import hmac
from typing import Any

import requests
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.openid_connect.views import OpenIDConnectOAuth2Adapter
from django.conf import settings
from django.http import HttpRequest

from config.accounts.single_sign_on import addresses, said_by_provider
from config.accounts.single_sign_on.oidc import id_tokens
from config.accounts.single_sign_on.said_by_provider import Said
from config.accounts.single_sign_on.sign_on_file import IdentityProvider
from config.accounts.single_sign_on.sign_on_refusals import ProviderAway, SignOnFailed
from config.accounts.single_sign_on.sign_on_told import provider_told, told

_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class CodeFlow(OpenIDConnectOAuth2Adapter):  # type: ignore[misc] # allauth has no types
    """One sign-in with one provider."""

    _verifier = ""

    @property
    def openid_config(self) -> dict[str, Any]:
        if not hasattr(self, "_openid_config"):
            found = self._called(self.get_provider().server_url)
            self._openid_config = _discovered(found, self._told)
        return self._openid_config

    @property
    def _told(self) -> IdentityProvider:
        return provider_told(self.provider_id)

    def get_access_token_data(
        self, request: HttpRequest, app: Any, client: Any, pkce_code_verifier: str | None = None
    ) -> dict[str, Any]:
        """The two tokens alone: the house keeps neither, and asks for no more later."""
        self._verifier = pkce_code_verifier or ""
        try:
            found = super().get_access_token_data(request, app, client, pkce_code_verifier)
        except (KeyError, TypeError) as error:  # a header or a body as no provider sends it
            raise SignOnFailed from error
        return {name: str(found.get(name) or "") for name in ("access_token", "id_token")}

    def complete_login(
        self, request: HttpRequest, app: Any, token: Any, **said: Any
    ) -> SocialLogin:
        """Raises SignOnFailed or ProviderAway."""
        issuer = self.openid_config["issuer"]
        if request.GET.get("iss", issuer) != issuer:
            raise SignOnFailed  # RFC 9207: another provider's answer
        claims = self._verified(said["response"].get("id_token"))
        heard = self._told_to(self._with_userinfo(claims, token.token))
        login: SocialLogin = self.get_provider().sociallogin_from_response(request, heard)
        login.said = heard
        return login

    def _verified(self, id_token: Any) -> dict[str, Any]:
        keys = self._called(self.openid_config["jwks_uri"])
        claims = id_tokens.verified(
            id_token, keys=keys, issuer=self.openid_config["issuer"], client_id=self._told.client_id
        )
        expected = id_tokens.nonce_of(self._verifier)
        if not self._verifier or not hmac.compare_digest(str(claims.get("nonce", "")), expected):
            raise SignOnFailed
        return claims

    def _with_userinfo(self, claims: dict[str, Any], access_token: str) -> dict[str, Any]:
        """What the signed token leaves out; it has the last word on what it says itself."""
        address = self.openid_config.get("userinfo_endpoint")
        if not address:
            return claims
        more = self._called(address, {"Authorization": f"Bearer {access_token}"})
        if more.get("sub") != claims["sub"]:
            raise SignOnFailed
        return more | claims

    def _told_to(self, claims: dict[str, Any]) -> Said:
        provider, provisioning = self._told, told().provisioning
        uid = said_by_provider.text(claims, provider.subject)
        if not uid or len(uid) > said_by_provider.UID_MAX:
            raise SignOnFailed
        email = addresses.clean(said_by_provider.text(claims, "email"))
        is_trusted = provider.is_email_trusted and "email_verified" not in claims
        is_verified = claims.get("email_verified") is True or is_trusted
        return Said(
            provider=provider.id,
            uid=uid,
            username=said_by_provider.text(claims, "preferred_username"),
            email=email,
            is_email_verified=is_verified and said_by_provider.is_of(email, provider.domains),
            groups=said_by_provider.groups_in(claims, provider.groups),
            methods=said_by_provider.methods_in(claims),
            external_id=said_by_provider.text(claims, provisioning.subject) if provisioning else "",
        )

    def _called(self, address: str, headers: dict[str, str] | None = None) -> dict[str, Any]:
        try:
            with get_adapter().get_requests_session() as session:
                response = session.get(address, headers=headers or {})
                found = response.json() if response.status_code == 200 else None
        except (requests.RequestException, ValueError) as error:
            raise ProviderAway(message=_away(self._told)) from error
        if not isinstance(found, dict):
            raise ProviderAway(message=_away(self._told))
        return found


def _away(provider: IdentityProvider) -> str:
    return f"{provider.name} cannot be reached for signing in at the moment."


def _discovered(found: dict[str, Any], provider: IdentityProvider) -> dict[str, Any]:
    """Discovery 1.0, 4.3: the document is of the very issuer, and names addresses that are fit."""
    is_own = str(found.get("issuer", "")).rstrip("/") == provider.issuer.rstrip("/")
    schemes = ("https://", "http://") if settings.IS_LOCAL else ("https://",)
    if not is_own or not all(str(found.get(one, "")).startswith(schemes) for one in _ENDPOINTS):
        raise ProviderAway(
            message=f"{provider.name} does not say of itself what the settings say of it.",
            advice="Tell the operator: `manage.py check_sign_on` says what differs.",
        )
    return found
