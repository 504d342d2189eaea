"""Timestamps of RFC 3161: asking for one, and checking the token that comes back. Pure.

A token is a CMS signature (RFC 5652) over a digest and a time. It holds where its certificate may
timestamp and leads to one of the given authorities. Tokens are BER: authorities write their sets in
any order, so those are read as lists here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Annotated

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID

from config.core.errors import ProofsheetError
from provenance.keys.certificates import UNREADABLE, leads_to

SHA256 = ObjectIdentifier("2.16.840.1.101.3.4.2.1")
SIGNED_DATA = ObjectIdentifier("1.2.840.113549.1.7.2")
TST_INFO = ObjectIdentifier("1.2.840.113549.1.9.16.1.4")
_CONTENT_TYPE = ObjectIdentifier("1.2.840.113549.1.9.3")
_MESSAGE_DIGEST = ObjectIdentifier("1.2.840.113549.1.9.4")
_HASHES: dict[ObjectIdentifier, type[hashes.HashAlgorithm]] = {
    SHA256: hashes.SHA256,
    ObjectIdentifier("2.16.840.1.101.3.4.2.2"): hashes.SHA384,
    ObjectIdentifier("2.16.840.1.101.3.4.2.3"): hashes.SHA512,
}
_GRANTED = (0, 1)  # 1: with modifications, which the checks below would notice


class TimestampInvalid(ProofsheetError):
    """A refusal, or a token that is malformed, of other bytes, or by somebody not vouched for."""

    default_code = "timestamp_invalid"
    default_message = "The timestamp does not hold."
    default_advice = "Do not rely on its time; ask the timestamping authority for another."
    default_status = 422


@asn1.sequence
class AlgorithmIdentifier:
    """RFC 5280, 4.1.1.2: an algorithm; parameters other than NULL are refused."""

    algorithm: ObjectIdentifier
    parameters: asn1.Null | None


@asn1.sequence
class MessageImprint:
    """RFC 3161, 2.4.1: the digest that is dated."""

    algorithm: AlgorithmIdentifier
    digest: bytes


@asn1.sequence
class Request:
    """RFC 3161, 2.4.1: TimeStampReq."""

    version: int
    imprint: MessageImprint
    policy: ObjectIdentifier | None
    nonce: int | None
    wants_certificate: Annotated[bool, asn1.Default(False)]


@asn1.sequence
class Status:
    """RFC 3161, 2.4.2: PKIStatusInfo."""

    status: int
    words: list[str] | None
    failure: asn1.BitString | None


@asn1.sequence
class ContentInfo:
    """RFC 5652, 3: a CMS object with its type."""

    kind: ObjectIdentifier
    content: Annotated[asn1.TLV, asn1.Explicit(0)]


@asn1.sequence
class Response:
    """RFC 3161, 2.4.2: TimeStampResp."""

    status: Status
    token: ContentInfo | None


@asn1.sequence
class EncapsulatedContent:
    """RFC 5652, 5.2: what is signed, here a TSTInfo."""

    kind: ObjectIdentifier
    content: Annotated[bytes, asn1.Explicit(0)]


@asn1.sequence
class Attribute:
    """RFC 5652, 5.3: an attribute of the signer with its values."""

    kind: ObjectIdentifier
    values: asn1.SetOf[asn1.TLV]


@asn1.sequence
class SignerInfo:
    """RFC 5652, 5.3: one signature over the attributes."""

    version: int
    signer: asn1.TLV
    digest_algorithm: AlgorithmIdentifier
    signed: Annotated[list[Attribute], asn1.Implicit(0)]
    signature_algorithm: AlgorithmIdentifier
    signature: bytes
    unsigned: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class SignedData:
    """RFC 5652, 5.1: the content with its signatures and certificates."""

    version: int
    digest_algorithms: asn1.TLV
    content: EncapsulatedContent
    certificates: Annotated[list[x509.Certificate] | None, asn1.Implicit(0)]
    revocations: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]
    signers: asn1.SetOf[SignerInfo]


@asn1.sequence
class Accuracy:
    """RFC 3161, 2.4.2: by how much the time may be off."""

    seconds: int | None
    milliseconds: Annotated[int | None, asn1.Implicit(0)]
    microseconds: Annotated[int | None, asn1.Implicit(1)]


@asn1.sequence
class TokenInfo:
    """RFC 3161, 2.4.2: TSTInfo."""

    version: int
    policy: ObjectIdentifier
    imprint: MessageImprint
    serial_number: int
    made_at: asn1.GeneralizedTime
    accuracy: Accuracy | None
    is_ordered: Annotated[bool, asn1.Default(False)]
    nonce: int | None
    authority: Annotated[list[asn1.TLV] | None, asn1.Implicit(0)]
    extensions: Annotated[list[asn1.TLV] | None, asn1.Implicit(1)]


@asn1.sequence
class _Attributes:
    """Signed attributes stand in their token under another tag than the one that is signed."""

    held: asn1.SetOf[Attribute]


@dataclass(frozen=True, slots=True)
class TimestampToken:
    """A token that holds: since when its digest is known, and who says so."""

    token: bytes
    at: datetime
    authority: str


def request(message: bytes, *, nonce: int) -> bytes:
    """The bytes that ask for a timestamp of a message."""
    algorithm = AlgorithmIdentifier(algorithm=SHA256, parameters=None)
    imprint = MessageImprint(algorithm=algorithm, digest=sha256(message).digest())
    asked = Request(version=1, imprint=imprint, policy=None, nonce=nonce, wants_certificate=True)
    return asn1.encode_der(asked)


def token_of(answer: bytes, message: bytes, *, nonce: int, anchors_pem: str) -> TimestampToken:
    """The timestamp in an authority's answer, checked. Raises `TimestampInvalid`."""
    try:
        response = asn1.decode_der(Response, answer)
    except ValueError as error:
        raise TimestampInvalid(message="The answer is no timestamp response.") from error
    if response.status.status not in _GRANTED or response.token is None:
        why = "; ".join(response.status.words or ["no reason given"])[:200]
        raise TimestampInvalid(message=f"The timestamping authority refused: {why}.")
    token = asn1.encode_der(response.token)
    info = _checked(token, message, anchors_pem)
    if info[0].nonce != nonce:
        raise TimestampInvalid(message="The timestamp answers another request.")
    return _timestamp(token, info)


def verify(token: bytes, message: bytes, *, anchors_pem: str) -> TimestampToken:
    """The timestamp of a stored token. Raises `TimestampInvalid`."""
    return _timestamp(token, _checked(token, message, anchors_pem))


def _timestamp(token: bytes, found: tuple[TokenInfo, x509.Certificate]) -> TimestampToken:
    info, certificate = found
    at = info.made_at.as_datetime().astimezone(UTC)
    return TimestampToken(token, at, certificate.subject.rfc4514_string())


def _checked(token: bytes, message: bytes, anchors_pem: str) -> tuple[TokenInfo, x509.Certificate]:
    try:
        outer = asn1.decode_der(ContentInfo, token)
        signed = asn1.decode_der(SignedData, _der(outer.content))
        info = asn1.decode_der(TokenInfo, signed.content.content)
        anchors = x509.load_pem_x509_certificates(anchors_pem.encode())
        if outer.kind != SIGNED_DATA or signed.content.kind != TST_INFO:
            raise TimestampInvalid(message="The token holds no timestamp.")
        if info.imprint.digest != _digest(info.imprint.algorithm, message):
            raise TimestampInvalid(message="The timestamp is of something else.")
        at = info.made_at.as_datetime()
        return info, _signer(signed, anchors, at)
    except (ValueError, KeyError, TypeError, UnsupportedAlgorithm, *UNREADABLE) as error:
        raise TimestampInvalid(message="The timestamp cannot be read.") from error


def _signer(
    signed: SignedData, anchors: Sequence[x509.Certificate], at: datetime
) -> x509.Certificate:
    certificates = signed.certificates or []
    for signer in signed.signers.as_list():
        _check_attributes(signer, signed.content.content)
        for certificate in certificates:
            if _has_signed(signer, certificate) and _may_timestamp(certificate):
                if leads_to(certificate, known=certificates, anchors=anchors, at=at):
                    return certificate
                raise TimestampInvalid(message="Nobody who is trusted vouches for the timestamp.")
    raise TimestampInvalid(message="The timestamp's signature does not hold.")


def _check_attributes(signer: SignerInfo, content: bytes) -> None:
    """What is signed names the content's type and digest."""
    held = {item.kind: item.values.as_list() for item in signer.signed}
    (kind,), (digest,) = held[_CONTENT_TYPE], held[_MESSAGE_DIGEST]
    if kind.parse(ObjectIdentifier) != TST_INFO:
        raise TimestampInvalid(message="The token holds no timestamp.")
    if digest.parse(bytes) != _digest(signer.digest_algorithm, content):
        raise TimestampInvalid(message="The timestamp was changed after it was signed.")


def _has_signed(signer: SignerInfo, certificate: x509.Certificate) -> bool:
    outer = asn1.encode_der(_Attributes(held=asn1.SetOf(signer.signed)))
    covered = outer[_header_length(outer) :]
    algorithm = _HASHES[signer.digest_algorithm.algorithm]()
    key = certificate.public_key()
    try:
        match key:
            case ec.EllipticCurvePublicKey():
                key.verify(signer.signature, covered, ec.ECDSA(algorithm))
            case rsa.RSAPublicKey():
                key.verify(signer.signature, covered, padding.PKCS1v15(), algorithm)
            case Ed25519PublicKey():
                key.verify(signer.signature, covered)
            case _:
                return False
    except InvalidSignature:
        return False
    return True


def _may_timestamp(certificate: x509.Certificate) -> bool:
    """RFC 3161, 2.3: timestamping is the certificate's only purpose."""
    try:
        usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return False
    return list(usage) == [ExtendedKeyUsageOID.TIME_STAMPING]


def _digest(algorithm: AlgorithmIdentifier, data: bytes) -> bytes:
    context = hashes.Hash(_HASHES[algorithm.algorithm]())
    context.update(data)
    return context.finalize()


def _header_length(der: bytes) -> int:
    """Bytes of tag and length before the contents of a DER value."""
    return 2 + (der[1] & 0x7F if der[1] & 0x80 else 0)


def _der(value: asn1.TLV) -> bytes:
    """A value of any type with its tag and length."""

    @asn1.sequence
    class Alone:
        held: asn1.TLV

    outer = asn1.encode_der(Alone(held=value))
    return outer[_header_length(outer) :]
