"""A timestamping authority of our own (RFC 3161) over HTTP on loopback, that can also misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ObjectIdentifier
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.keys import certificates
from provenance.log.formats import timestamp_token as tst

SIGNING_CERTIFICATE_V2 = ObjectIdentifier("1.2.840.113549.1.9.16.2.47")
ECDSA_SHA256 = ObjectIdentifier("1.2.840.10045.4.3.2")


@asn1.sequence
class IssuerAndSerial:
    issuer: x509.Name
    serial_number: int


@asn1.sequence
class CertificateId:
    digest: bytes


@asn1.sequence
class Algorithms:
    held: asn1.SetOf[tst.AlgorithmIdentifier]


@asn1.sequence
class SigningCertificate:
    certificates: list[CertificateId]


@dataclass
class Authority:
    """Keys and behaviour: `mood` is good, silent (never answers), refuses, garbage or late."""

    mood: str = "good"
    at: datetime | None = None
    asked: list[bytes] = field(default_factory=list)
    url: str = ""

    def __post_init__(self) -> None:
        now = datetime.now(UTC)
        self.root_key, self.root = certificates.make_authority(at=now)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self._certificate(now)
        self.released = threading.Event()

    @property
    def root_pem(self) -> str:
        return certificates.public_pem(self.root).decode()

    def _certificate(self, now: datetime) -> x509.Certificate:
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test clock"),
                x509.NameAttribute(NameOID.COMMON_NAME, "Timestamping unit 1"),
            ]
        )
        issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.root_key.public_key())
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        return (
            x509.CertificateBuilder(
                issuer_name=self.root.subject, subject_name=name, public_key=self.key.public_key()
            )
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=400))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(True, False, False, False, False, False, False, False, False),
                critical=True,
            )
            .add_extension(usage, critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False
            )
            .add_extension(issuer_key, critical=False)
            .sign(self.root_key, hashes.SHA256())
        )

    def answer(self, asked: bytes) -> bytes:
        wanted = asn1.decode_der(tst.Request, asked)
        if self.mood == "refuses":
            return asn1.encode_der(
                tst.Response(
                    status=tst.Status(status=2, words=["too busy"], failure=None), token=None
                )
            )
        at = (self.at or datetime.now(UTC)).replace(microsecond=0)
        info = tst.TokenInfo(
            version=1,
            policy=ObjectIdentifier("2.25.7"),
            imprint=wanted.imprint,
            serial_number=len(self.asked) + 1,
            made_at=asn1.GeneralizedTime(at),
            accuracy=None,
            is_ordered=False,
            nonce=wanted.nonce,
            authority=None,
            extensions=None,
        )
        token = self.token(asn1.encode_der(info))
        return asn1.encode_der(
            tst.Response(status=tst.Status(status=0, words=None, failure=None), token=token)
        )

    def token(self, content: bytes) -> tst.ContentInfo:
        der = self.certificate.public_bytes(Encoding.DER)
        attributes = [
            _attribute(tst._CONTENT_TYPE, tst.TST_INFO),
            _attribute(tst._MESSAGE_DIGEST, sha256(content).digest()),
            _attribute(
                SIGNING_CERTIFICATE_V2,
                SigningCertificate(certificates=[CertificateId(digest=sha256(der).digest())]),
            ),
        ]
        outer = asn1.encode_der(tst._Attributes(held=asn1.SetOf(attributes)))
        covered = outer[tst._header_length(outer) :]
        sha256_alone = tst.AlgorithmIdentifier(algorithm=tst.SHA256, parameters=None)
        algorithms = Algorithms(held=asn1.SetOf([sha256_alone]))
        sid = IssuerAndSerial(
            issuer=self.root.subject, serial_number=self.certificate.serial_number
        )
        signer = tst.SignerInfo(
            version=1,
            signer=_tlv(sid),
            digest_algorithm=tst.AlgorithmIdentifier(algorithm=tst.SHA256, parameters=None),
            signed=attributes,
            signature_algorithm=tst.AlgorithmIdentifier(algorithm=ECDSA_SHA256, parameters=None),
            signature=self.key.sign(covered, ec.ECDSA(hashes.SHA256())),
            unsigned=None,
        )
        signed = tst.SignedData(
            version=3,
            digest_algorithms=asn1.decode_der(_Any, asn1.encode_der(algorithms)).held,
            content=tst.EncapsulatedContent(kind=tst.TST_INFO, content=content),
            certificates=[self.certificate],
            revocations=None,
            signers=asn1.SetOf([signer]),
        )
        return tst.ContentInfo(kind=tst.SIGNED_DATA, content=_tlv(signed))


@asn1.sequence
class _Any:
    held: asn1.TLV


def _tlv(value: object) -> asn1.TLV:
    inner = asn1.encode_der(value)
    size = len(inner)
    length = bytes([size]) if size < 128 else b"\x82" + size.to_bytes(2)
    return asn1.decode_der(_Any, b"\x30" + length + inner).held


def _attribute(kind: ObjectIdentifier, value: object) -> tst.Attribute:
    return tst.Attribute(kind=kind, values=asn1.SetOf([_tlv(value)]))


@contextmanager
def served(authority: Authority) -> Iterator[str]:
    """The authority's address while the block runs."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            authority.asked.append(asked)
            if authority.mood == "silent":
                authority.released.wait(30)
                return
            body = b"no timestamp" if authority.mood == "garbage" else authority.answer(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Tests print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        authority.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield authority.url
    finally:
        authority.released.set()
        server.shutdown()
        server.server_close()
