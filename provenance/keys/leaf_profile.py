"""C2PA's profile of claim signing leaves, assurance level 1, read against a certificate. Pure.

By `claimSigningLeaf.al1.cert` of c2pa-org/conformance-public (21 August 2026). What only the issuer
can know (that subject and record id are those of the products list) is not looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

MOST_DAYS = 366
CLAIM_SIGNING = x509.ObjectIdentifier("1.3.6.1.4.1.62558.2.1")
POLICY = x509.ObjectIdentifier("1.3.6.1.4.1.62558.1.1")
ASSURANCE_LEVEL = x509.ObjectIdentifier("1.3.6.1.4.1.62558.3")
LEVEL_1 = bytes.fromhex("060a2b0601040183e85e030a")
RECORD = x509.ObjectIdentifier("1.3.6.1.4.1.62558.4")
_DOCUMENTS = (
    x509.ObjectIdentifier("1.3.6.1.5.5.7.3.36"),
    x509.ObjectIdentifier("1.2.840.113583.1.1.5"),  # Adobe's, which the schema names
)
_SIGNATURES = {
    *(f"1.2.840.113549.1.1.{last}" for last in (10, 11, 12, 13)),
    *(f"1.2.840.10045.4.3.{last}" for last in (2, 3, 4)),
    "1.3.101.112",
}
_Extension = TypeVar("_Extension", bound=x509.ExtensionType)
_CURVES = {"secp256r1", "secp384r1", "secp521r1"}
_USAGES = (
    "digital_signature",
    "content_commitment",
    "key_cert_sign",
    "crl_sign",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of the profile, and whether the certificate keeps it; `is_must` where it has to."""

    sentence: str
    is_kept: bool
    is_must: bool = True


def rules(leaf: x509.Certificate) -> list[Rule]:
    """Every rule of the profile. Raises what reading a broken certificate raises
    (`certificates.UNREADABLE`).
    """
    return [*_core(leaf), *_identifiers(leaf), *_purposes(leaf), *_of_c2pa(leaf)]


def _core(leaf: x509.Certificate) -> Iterator[Rule]:
    lasts = leaf.not_valid_after_utc - leaf.not_valid_before_utc
    named = {attribute.oid for attribute in leaf.subject}
    yield Rule("version 3", leaf.version is x509.Version.v3)
    yield Rule("a serial number of at most 20 octets", leaf.serial_number.bit_length() <= 159)
    yield Rule(
        "signed by RSA, ECDSA or Ed25519", leaf.signature_algorithm_oid.dotted_string in _SIGNATURES
    )
    yield Rule("RSA of 2048 bits, P-256, P-384, P-521 or Ed25519", _is_strong(leaf))
    yield Rule(f"valid for at most {MOST_DAYS} days", lasts <= timedelta(days=MOST_DAYS))
    for oid, name in (
        (NameOID.COUNTRY_NAME, "country"),
        (NameOID.ORGANIZATION_NAME, "organisation"),
        (NameOID.COMMON_NAME, "common name"),
    ):
        yield Rule(f"its {name} in the subject", oid in named)


def _is_strong(leaf: x509.Certificate) -> bool:
    match leaf.public_key():
        case rsa.RSAPublicKey() as key:
            return key.key_size >= 2048
        case ec.EllipticCurvePublicKey() as key:
            return key.curve.name in _CURVES
        case key:
            return isinstance(key, ed25519.Ed25519PublicKey)


def _identifiers(leaf: x509.Certificate) -> Iterator[Rule]:
    own = _found(leaf, x509.SubjectKeyIdentifier)
    issuer = _found(leaf, x509.AuthorityKeyIdentifier)
    is_named = issuer is not None and issuer.value.key_identifier is not None
    yield Rule("a subject key identifier, not critical", own is not None and not own.critical)
    yield Rule(
        "an authority key identifier, not critical",
        issuer is not None and is_named and not issuer.critical,
    )


def _purposes(leaf: x509.Certificate) -> Iterator[Rule]:
    usage = _found(leaf, x509.KeyUsage)
    allowed = {name for name in _USAGES if usage is not None and getattr(usage.value, name)}
    yield Rule(
        "key usage of digitalSignature and nonRepudiation alone, critical",
        usage is not None and usage.critical and allowed == {*_USAGES[:2]},
    )
    basic = _found(leaf, x509.BasicConstraints)
    yield Rule(
        "basic constraints of no authority, critical",
        basic is not None and basic.critical and not basic.value.ca,
    )
    extended = _found(leaf, x509.ExtendedKeyUsage)
    purposes = set() if extended is None or extended.critical else set(extended.value)
    yield Rule("the purpose C2PA claim signing (62558.2.1)", CLAIM_SIGNING in purposes)
    also = {ExtendedKeyUsageOID.EMAIL_PROTECTION, *_DOCUMENTS}
    yield Rule("the purpose emailProtection or documentSigning", bool(also & purposes))


def _of_c2pa(leaf: x509.Certificate) -> Iterator[Rule]:
    policies = _found(leaf, x509.CertificatePolicies)
    named = [] if policies is None or policies.critical else list(policies.value)
    is_named = any(each.policy_identifier == POLICY for each in named)
    yield Rule("C2PA's certificate policy (62558.1.1)", is_named)
    access = _found(leaf, x509.AuthorityInformationAccess)
    places = [] if access is None or access.critical else list(access.value)
    asked = [each for each in places if each.access_method == AuthorityInformationAccessOID.OCSP]
    is_http = any(
        isinstance(each.access_location, x509.UniformResourceIdentifier)
        and each.access_location.value.startswith("http://")
        for each in asked
    )
    yield Rule("the address of an OCSP responder over HTTP", is_http)
    issuers = AuthorityInformationAccessOID.CA_ISSUERS
    has_issuers = any(each.access_method == issuers for each in places)
    yield Rule("the address of the issuer's certificate", has_issuers, is_must=False)
    yield Rule("assurance level 1 (62558.3)", _raw(leaf, ASSURANCE_LEVEL) == LEVEL_1)
    record = _raw(leaf, RECORD)
    is_record = len(record) == 38 and record[:2] == b"\x0c\x24"
    yield Rule("a record id of the products list, 36 letters (62558.4)", is_record)


def _found(leaf: x509.Certificate, kind: type[_Extension]) -> x509.Extension[_Extension] | None:
    try:
        return leaf.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound:
        return None


def _raw(leaf: x509.Certificate, oid: x509.ObjectIdentifier) -> bytes:
    """The DER of an extension that is not critical; empty where there is none."""
    try:
        found = leaf.extensions.get_extension_for_oid(oid)
    except x509.ExtensionNotFound:
        return b""
    if found.critical or not isinstance(found.value, x509.UnrecognizedExtension):
        return b""
    return found.value.value
