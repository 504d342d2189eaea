"""A SAML identity provider of pysaml2; python-xmlsec signs, so that no xmlsec1 is needed."""

from __future__ import annotations

import base64
import datetime
import zlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from lxml import etree
from saml2 import saml, samlp
from saml2.s_utils import sid
from saml2.samlp import authn_request_from_string

ENTITY = "https://idp.corp.example/saml"
SSO = "https://idp.corp.example/sso"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
_SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
_PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"


def key_and_certificate() -> tuple[str, str]:
    """PEM of a new key and of a certificate that it signed itself."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.corp.example")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=30))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return pem.decode(), certificate.public_bytes(serialization.Encoding.PEM).decode()


@dataclass
class SamlProvider:
    """Answers a request that its address carries; each member spoils the answer in one way."""

    key: str
    certificate: str
    signs: tuple[str, ...] = ("assertion", "message")
    name_id_format: str = PERSISTENT
    audience: str = ""
    destination: str = ""
    in_response_to: str | None = None
    ends_in_s: int = 300
    contexts: tuple[str, ...] = ("urn:oasis:names:tc:SAML:2.0:ac:classes:Password",)
    changed_after_signing: dict[str, str] = field(default_factory=dict)

    def answer(self, address: str, uid: str, **attributes: Any) -> str:
        """SAMLResponse, in base64, to the AuthnRequest of a redirect's address."""
        request = self._request_in(address)
        acs = request.assertion_consumer_service_url
        asked = request.id if self.in_response_to is None else self.in_response_to
        audience = self.audience or request.issuer.text
        response = samlp.Response(
            id=sid(),
            version="2.0",
            issue_instant=_time(0),
            destination=self.destination or acs,
            in_response_to=asked or None,
            issuer=saml.Issuer(text=ENTITY),
            status=samlp.Status(status_code=samlp.StatusCode(value=samlp.STATUS_SUCCESS)),
            assertion=self._assertion(uid, acs, asked, audience, attributes),
        )
        return base64.b64encode(self._signed(str(response).encode())).decode()

    def _request_in(self, address: str) -> Any:
        packed = parse_qs(urlsplit(address).query)["SAMLRequest"][0]
        return authn_request_from_string(zlib.decompress(base64.b64decode(packed), -15))

    def _assertion(
        self, uid: str, acs: str, asked: str, audience: str, attributes: dict[str, Any]
    ) -> saml.Assertion:
        confirmed = saml.SubjectConfirmationData(
            recipient=acs, in_response_to=asked or None, not_on_or_after=_time(self.ends_in_s)
        )
        subject = saml.Subject(
            name_id=saml.NameID(text=uid, format=self.name_id_format),
            subject_confirmation=saml.SubjectConfirmation(
                method="urn:oasis:names:tc:SAML:2.0:cm:bearer",
                subject_confirmation_data=confirmed,
            ),
        )
        told = [_attribute(name, value) for name, value in attributes.items()]
        return saml.Assertion(
            id=sid(),
            version="2.0",
            issue_instant=_time(0),
            issuer=saml.Issuer(text=ENTITY),
            subject=subject,
            conditions=saml.Conditions(
                not_before=_time(-60),
                not_on_or_after=_time(self.ends_in_s),
                audience_restriction=saml.AudienceRestriction(
                    audience=saml.Audience(text=audience)
                ),
            ),
            authn_statement=[
                saml.AuthnStatement(
                    authn_instant=_time(0),
                    session_index=sid(),
                    authn_context=saml.AuthnContext(
                        authn_context_class_ref=saml.AuthnContextClassRef(text=one)
                    ),
                )
                for one in self.contexts
            ],
            attribute_statement=saml.AttributeStatement(attribute=told),
        )

    def _signed(self, xml: bytes) -> bytes:
        root = etree.fromstring(xml)
        assertion = root.find(f"{{{_SAML}}}Assertion")
        for name, element in (("assertion", assertion), ("message", root)):
            if name in self.signs:
                self._sign(element)
        for text in root.iter(f"{{{_SAML}}}AttributeValue", f"{{{_SAML}}}NameID"):
            text.text = self.changed_after_signing.get(text.text, text.text)
        signed: bytes = etree.tostring(root)
        return signed

    def _sign(self, element: Any) -> None:
        template = xmlsec.template.create(
            element, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.RSA_SHA256, ns="ds"
        )
        element.insert(1, template)  # after the issuer, as the schema has it
        reference = xmlsec.template.add_reference(
            template, xmlsec.Transform.SHA256, uri=f"#{element.get('ID')}"
        )
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(template))
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(self.key, xmlsec.KeyFormat.PEM, None)
        context.key.load_cert_from_memory(self.certificate, xmlsec.KeyFormat.PEM)
        context.register_id(element, "ID", None)
        context.sign(template)


def _attribute(name: str, value: Any) -> saml.Attribute:
    values = value if isinstance(value, list) else [value]
    told = []
    for one in values:
        said = saml.AttributeValue()
        said.set_text(one)
        told.append(said)
    return saml.Attribute(name=name, attribute_value=told)


def _time(seconds: int) -> str:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return now.strftime("%Y-%m-%dT%H:%M:%SZ")
