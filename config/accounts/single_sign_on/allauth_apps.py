"""The file's providers as allauth's settings have them."""

from __future__ import annotations

from typing import Any

from config.accounts.single_sign_on.sign_on_file import IdentityProvider, SignOn


def apps_of(sign_on: SignOn, *, is_local: bool) -> dict[str, dict[str, Any]]:
    """SOCIALACCOUNT_PROVIDERS."""
    oidc = [_oidc(one) for one in sign_on.providers if one.kind == "oidc"]
    saml = [_saml(one, is_local) for one in sign_on.providers if one.kind == "saml"]
    return {
        "openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": oidc},
        "saml": {"APPS": saml},
    }


def _oidc(provider: IdentityProvider) -> dict[str, Any]:
    return {
        "provider_id": provider.id,
        "name": provider.name,
        "client_id": provider.client_id,
        "secret": provider.secret,
        "settings": {"server_url": provider.issuer.rstrip("/"), "scope": list(provider.scopes)},
    }


def _saml(provider: IdentityProvider, is_local: bool) -> dict[str, Any]:
    """allauth's own defaults sign neither message nor assertion; here both must be."""
    return {
        "provider_id": provider.id,
        "name": provider.name,
        "client_id": provider.id,
        "settings": {
            "idp": {
                "entity_id": provider.issuer,
                "sso_url": provider.sso_url,
                "x509cert": provider.certificate,
            },
            "advanced": {
                "strict": True,
                "want_message_signed": True,
                "want_assertion_signed": True,
                "reject_idp_initiated_sso": True,
                "reject_deprecated_algorithm": True,
                "want_name_id": True,
                "allow_repeat_attribute_name": False,
                "allow_single_label_domains": is_local,
            },
        },
    }
