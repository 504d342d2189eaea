"""Whether a certificate keeps C2PA's profile of claim signing leaves, rule by rule."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID

from provenance.keys import certificates, leaf_profile
from provenance.keys.leaf_profile import ASSURANCE_LEVEL, CLAIM_SIGNING, LEVEL_1, POLICY, RECORD

NOW = datetime(2026, 11, 30, tzinfo=UTC)
AUTHORITY_KEY, AUTHORITY = certificates.make_authority(at=NOW)
OCSP, ISSUERS = AuthorityInformationAccessOID.OCSP, AuthorityInformationAccessOID.CA_ISSUERS
SUBJECT = {
    NameOID.COUNTRY_NAME: "DE",
    NameOID.ORGANIZATION_NAME: "Example",
    NameOID.COMMON_NAME: "Example generator",
}


def usage(**said: bool) -> x509.KeyUsage:
    names = ("key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    told = dict.fromkeys((*names, "encipher_only", "decipher_only"), False)
    return x509.KeyUsage(**told | {"digital_signature": True, "content_commitment": True} | said)


@dataclass(frozen=True)
class Wanted:
    """A leaf that keeps the profile, unless something is said otherwise."""

    subject: dict[x509.ObjectIdentifier, str]
    days: int = 366
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None
    usage: x509.KeyUsage | None = None
    is_usage_critical: bool = True
    is_authority: bool = False
    purposes: tuple[x509.ObjectIdentifier, ...] = (
        CLAIM_SIGNING,
        ExtendedKeyUsageOID.EMAIL_PROTECTION,
    )
    policy: x509.ObjectIdentifier = POLICY
    places: tuple[tuple[x509.ObjectIdentifier, str], ...] = (
        (OCSP, "http://ocsp.example"),
        (ISSUERS, "http://ca.example/ca.cer"),
    )
    level: bytes = LEVEL_1
    record: bytes = b"\x0c\x24" + b"6d4e0b5e-0000-4000-8000-000000000001"
    has_own_identifier: bool = True

    def made(self) -> x509.Certificate:
        key = self.key or ec.generate_private_key(ec.SECP256R1())
        places = [
            x509.AccessDescription(method, x509.UniformResourceIdentifier(url))
            for method, url in self.places
        ]
        extensions: list[tuple[x509.ExtensionType, bool]] = [
            (x509.AuthorityKeyIdentifier.from_issuer_public_key(AUTHORITY_KEY.public_key()), False),
            (self.usage or usage(), self.is_usage_critical),
            (x509.BasicConstraints(ca=self.is_authority, path_length=None), True),
            (x509.ExtendedKeyUsage(self.purposes), False),
            (x509.CertificatePolicies([x509.PolicyInformation(self.policy, None)]), False),
            (x509.AuthorityInformationAccess(places), False),
            (x509.UnrecognizedExtension(ASSURANCE_LEVEL, self.level), False),
            (x509.UnrecognizedExtension(RECORD, self.record), False),
        ]
        if self.has_own_identifier:
            named = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
            extensions.append((named, False))
        builder = (
            x509.CertificateBuilder()
            .issuer_name(AUTHORITY.subject)
            .subject_name(x509.Name([x509.NameAttribute(*each) for each in self.subject.items()]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(NOW)
            .not_valid_after(NOW + timedelta(days=self.days))
        )
        for value, is_critical in extensions:
            builder = builder.add_extension(value, is_critical)
        return builder.sign(AUTHORITY_KEY, hashes.SHA256())


GOOD = Wanted(SUBJECT)
OTHER = x509.ObjectIdentifier("1.2.3.4")
SPOILT = {
    "valid for at most 366 days": replace(GOOD, days=367),
    "RSA of 2048 bits": replace(GOOD, key=ec.generate_private_key(ec.SECP256K1())),
    "its country in": replace(GOOD, subject={**SUBJECT, NameOID.COUNTRY_NAME: ""}),
    "key usage": replace(GOOD, usage=usage(content_commitment=False)),
    "key usage of": replace(GOOD, usage=usage(key_agreement=True)),
    "key usage of digital": replace(GOOD, is_usage_critical=False),
    "basic constraints": replace(GOOD, is_authority=True),
    "the purpose C2PA": replace(GOOD, purposes=(ExtendedKeyUsageOID.EMAIL_PROTECTION,)),
    "the purpose email": replace(GOOD, purposes=(CLAIM_SIGNING,)),
    "C2PA's certificate policy": replace(GOOD, policy=OTHER),
    "the address of an OCSP": replace(
        GOOD, places=((OCSP, "https://x.example"), (ISSUERS, "http://x.example"))
    ),
    "assurance level 1": replace(GOOD, level=LEVEL_1[:-1] + b"\x14"),
    "a record id": replace(GOOD, record=b"\x0c\x04abcd"),
    "a subject key identifier": replace(GOOD, has_own_identifier=False),
}


def missed(leaf: x509.Certificate) -> list[str]:
    return [rule.sentence for rule in leaf_profile.rules(leaf) if not rule.is_kept]


def test_leaf_of_the_programme_keeps_every_rule() -> None:
    assert missed(GOOD.made()) == []
    assert missed(replace(GOOD, key=rsa.generate_private_key(65537, 2048)).made()) == []


@pytest.mark.parametrize("start", SPOILT)
def test_each_rule_is_missed_by_what_breaks_it_and_by_nothing_else(start: str) -> None:
    wanted = SPOILT[start]
    if "" in wanted.subject.values():
        wanted = replace(wanted, subject={k: v for k, v in wanted.subject.items() if v})
    (sentence,) = missed(wanted.made())
    assert sentence.startswith(start)


@pytest.mark.parametrize(("bits", "is_kept"), [(159, True), (160, False)])
def test_serial_number_has_20_octets_with_its_sign(bits: int, is_kept: bool) -> None:
    class Numbered:
        serial_number = 2 ** (bits - 1)

        def __getattr__(self, name: str) -> object:
            return getattr(leaf, name)

    leaf = GOOD.made()
    assert len(missed(cast(x509.Certificate, Numbered()))) == (0 if is_kept else 1)


def test_address_of_the_issuer_is_only_better(tmp_path: Path) -> None:
    leaf = replace(GOOD, places=((OCSP, "http://ocsp.example"),)).made()
    (rule,) = [each for each in leaf_profile.rules(leaf) if not each.is_kept]
    assert not rule.is_must
    assert "issuer" in rule.sentence


def test_house_s_own_leaf_is_told_what_it_lacks() -> None:
    key, authority = certificates.make_authority(at=NOW)
    _, leaf = certificates.make_leaf(key, authority, at=NOW, organization="A house " * 20)
    assert "its organisation in the subject" not in missed(leaf)
    assert "the purpose C2PA claim signing (62558.2.1)" in missed(leaf)
