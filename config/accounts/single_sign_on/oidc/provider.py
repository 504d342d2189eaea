"""OpenID Connect as the house speaks it. allauth finds this module by its name."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.providers.openid_connect.provider import (
    OpenIDConnectProvider,
    OpenIDConnectProviderAccount,
)
from django.http import HttpRequest

from config.accounts.single_sign_on import addresses
from config.accounts.single_sign_on.oidc import id_tokens
from config.accounts.single_sign_on.oidc.code_flow import CodeFlow
from config.accounts.single_sign_on.said_by_provider import Said


class OpenIDConnect(OpenIDConnectProvider):  # type: ignore[misc] # allauth has no types
    """One of the file. A link decides neither scopes nor parameters: what is asked stands there."""

    oauth2_adapter_class = CodeFlow
    account_class = OpenIDConnectProviderAccount

    def get_pkce_params(self) -> dict[str, str]:
        params: dict[str, str] = super().get_pkce_params()
        return params | {"nonce": id_tokens.nonce_of(params["code_verifier"])}

    def get_auth_params_from_request(self, request: HttpRequest, action: str) -> dict[str, str]:
        params: dict[str, str] = self.get_auth_params()
        return params

    def get_scope_from_request(self, request: HttpRequest) -> list[str]:
        scope: list[str] = self.get_scope()
        return scope

    def extract_uid(self, data: Said) -> str:
        return data.uid

    def extract_extra_data(self, data: Said) -> dict[str, str]:
        return {"username": data.email or data.username}

    def extract_common_fields(self, data: Said) -> dict[str, Any]:
        return {"email": data.email, "username": data.username}

    def extract_email_addresses(self, data: Said) -> list[EmailAddress]:
        return addresses.of(data)


provider_classes = [OpenIDConnect]
