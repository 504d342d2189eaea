"""X.509 certificates of the installation's own authority, as c2pa wants them. Pure.

A leaf has a PKCS#8 key on P-256, digitalSignature, emailProtection, subject and authority key
identifiers and an organisation: with less, c2pa refuses it or calls its signatures invalid.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_YEARS, LEAF_YEARS = 20, 10
HOUSE = "Proofsheet local installation"
_LONGEST_NAME = 64
UNREADABLE = (
    ValueError,
    x509.InvalidVersion,
    x509.DuplicateExtension,
    x509.UnsupportedGeneralNameType,
)
"""What reading a stranger's certificate may raise."""
_CLOCKS_DIFFER = timedelta(minutes=5)
_LONGEST_CHAIN = 6
_LONG_SEQUENCE = b"\x30\x82"
_MOST_PLACES = 2000


def make_authority(*, at: datetime) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A fresh authority that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("Proofsheet local certificate authority")
    builder = (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCKS_DIFFER)
        .not_valid_after(at + timedelta(days=365 * AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return key, builder.sign(key, hashes.SHA256())


def make_leaf(
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    *,
    at: datetime,
    organization: str = HOUSE,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    """A fresh key and the certificate by which the authority vouches for it, of that organisation.

    It ends with the authority at the latest.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    ends_at = min(at + timedelta(days=365 * LEAF_YEARS), authority.not_valid_after_utc)
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    builder = (
        x509.CertificateBuilder(
            issuer_name=authority.subject,
            subject_name=_name("Proofsheet manifest signer", organization),
            public_key=key.public_key(),
        )
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _CLOCKS_DIFFER)
        .not_valid_after(ends_at)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return key, builder.sign(authority_key, hashes.SHA256())


def private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    """PKCS#8 without a password, the one form that c2pa reads."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public_pem(certificate: x509.Certificate) -> bytes:
    """The certificate as PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def leaf_of(chain_pem: str) -> x509.Certificate:
    """The first certificate of a chain. Raises `ValueError` where there is none."""
    return x509.load_pem_x509_certificates(chain_pem.encode())[0]


def digest(certificate: x509.Certificate) -> str:
    """SHA-256 of a certificate's DER, hexadecimal."""
    return sha256(certificate.public_bytes(serialization.Encoding.DER)).hexdigest()


def leads_to(
    certificate: x509.Certificate,
    *,
    known: Sequence[x509.Certificate],
    anchors: Sequence[x509.Certificate],
    at: datetime | None = None,
) -> bool:
    """Whether an anchor vouches for a certificate, itself or through authorities among `known`.

    With `at`, every certificate on the way must have been valid then.
    """
    for _ in range(_LONGEST_CHAIN):
        is_in_time = at is None or (
            certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc
        )
        if not is_in_time:
            return False
        if certificate in anchors or any(_issued(anchor, certificate) for anchor in anchors):
            return True
        issuer = next(_authorities_of(certificate, known), None)
        if issuer is None:
            return False
        certificate = issuer
    return False


def may_sign(certificate: x509.Certificate) -> bool:
    """Whether a certificate is neither an authority's nor a timestamping unit's."""
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return ExtendedKeyUsageOID.TIME_STAMPING not in purposes and not _is_authority(certificate)


def embedded_in(data: bytes) -> Iterator[x509.Certificate]:
    """Every certificate whose DER lies somewhere in these bytes.

    The search ends after so many places that only bytes made for it have more.
    """
    place = data.find(_LONG_SEQUENCE)
    for _ in range(_MOST_PLACES):
        if place < 0:
            return
        end = place + 4 + int.from_bytes(data[place + 2 : place + 4])
        try:
            yield x509.load_der_x509_certificate(data[place:end])
        except UNREADABLE:
            end = place + 1
        place = data.find(_LONG_SEQUENCE, end)


def _authorities_of(
    certificate: x509.Certificate, known: Sequence[x509.Certificate]
) -> Iterator[x509.Certificate]:
    for each in known:
        if each != certificate and _is_authority(each) and _issued(each, certificate):
            yield each


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False


def _issued(issuer: x509.Certificate, certificate: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name(common_name: str, organization: str = HOUSE) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization[:_LONGEST_NAME] or HOUSE),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, is_authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not is_authority,
        key_cert_sign=is_authority,
        crl_sign=is_authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
