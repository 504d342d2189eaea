"""SAML as the house speaks it. allauth finds this module by its name."""

from __future__ import annotations

from typing import Any

from allauth.account.models import EmailAddress
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.saml.provider import SAMLProvider
from django.http import HttpRequest

from config.accounts.single_sign_on import addresses, said_by_provider
from config.accounts.single_sign_on.said_by_provider import Said
from config.accounts.single_sign_on.sign_on_refusals import SignOnFailed
from config.accounts.single_sign_on.sign_on_told import provider_told, told

_TRANSIENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
_EMAIL_FORMAT = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
_EMAIL_NAMES = (
    "email",
    "mail",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)


class SecurityAssertions(SAMLProvider):  # type: ignore[misc] # allauth has no types
    """One of the file."""

    def sociallogin_from_response(self, request: HttpRequest, response: Any) -> SocialLogin:
        said = self._told_by(response)
        login: SocialLogin = super().sociallogin_from_response(request, said)
        login.said = said
        return login

    def _told_by(self, response: Any) -> Said:
        """From a response whose signatures hold. Raises SignOnFailed for one that names nobody."""
        provider = provider_told(self.app.provider_id)
        attributes: dict[str, Any] = response.get_attributes()
        name_id = str(response.get_nameid() or "")
        is_passing = response.get_nameid_format() == _TRANSIENT
        own = "" if is_passing or len(name_id) > said_by_provider.TEXT_MAX else name_id
        uid = said_by_provider.text(attributes, provider.subject) if provider.subject else own
        if not uid or len(uid) > said_by_provider.UID_MAX:
            raise SignOnFailed
        told = [said_by_provider.text(attributes, name) for name in _EMAIL_NAMES]
        if response.get_nameid_format() == _EMAIL_FORMAT:
            told.append(own)
        email = addresses.clean(next(filter(None, told), ""))
        return Said(
            provider=provider.id,
            uid=uid,
            email=email,
            is_email_verified=provider.is_email_trusted
            and said_by_provider.is_of(email, provider.domains),
            groups=said_by_provider.groups_in(attributes, provider.groups),
            methods=frozenset(response.get_last_authn_contexts()),
            external_id=self._external_id(attributes, own),
        )

    def _external_id(self, attributes: dict[str, Any], name_id: str) -> str:
        """SCIM's own id of the person; NameID where the file names no attribute."""
        provisioning = told().provisioning
        if provisioning is None:
            return ""
        return said_by_provider.text(attributes, provisioning.subject) or name_id

    def extract_uid(self, data: Said) -> str:
        return data.uid

    def extract_extra_data(self, data: Said) -> dict[str, str]:
        return {"username": data.email}

    def extract_common_fields(self, data: Said) -> dict[str, Any]:
        return {"email": data.email, "email_verified": data.is_email_verified}

    def extract_email_addresses(self, data: Said) -> list[EmailAddress]:
        return addresses.of(data)


provider_classes = [SecurityAssertions]
