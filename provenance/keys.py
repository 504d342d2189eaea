"""The installation's own keys, made at first use in one folder and never sent anywhere.

`ca.pem` and `signer.pem` (with `*.key`): a local certificate authority and the ES256 leaf that
signs manifests, as
c2pa-python wants them: PKCS#8, digitalSignature, emailProtection, subject and authority key
identifiers, an organisation.
`log.key`: Ed25519, signs checkpoints. `watermark.key` and `pseudonym.key`: 32 random bytes each.
An installation with a certificate of the C2PA conformance programme puts it in place of
`signer.pem` and `signer.key`.
"""

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from provenance.errors import ProofsheetError

CA_YEARS, LEAF_YEARS = 20, 10
_FILES = (
    "ca.key",
    "ca.pem",
    "signer.key",
    "signer.pem",
    "log.key",
    "watermark.key",
    "pseudonym.key",
)


class KeysUnusable(ProofsheetError):
    default_code = "keys_unusable"
    default_message = "The signing keys cannot be read or made."
    default_advice = "Check the keys folder: its files, its owner, and the space left on its disk."
    default_status = 503


@dataclass(frozen=True, slots=True)
class Keyring:
    """Everything that signs or marks. PEM text as c2pa wants it: the leaf first, then the
    authority.
    """

    certificate_chain_pem: str
    authority_pem: str
    signer_key_pem: str
    log_key: Ed25519PrivateKey
    watermark_key: bytes
    pseudonym_key: bytes


def load_or_make(folder: Path) -> Keyring:
    """The keyring of a folder; what is missing is made. Safe when several processes start at once.

    Raises:
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with _only_one(folder):
            if not all((folder / name).exists() for name in _FILES):
                _make_missing(folder)
        return _load(folder)
    except (OSError, ValueError) as error:
        raise KeysUnusable(
            message=f"The signing keys in {folder.name}/ cannot be read or made: {error}."
        ) from error


@contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _load(folder: Path) -> Keyring:
    authority = (folder / "ca.pem").read_text()
    log_key = serialization.load_pem_private_key((folder / "log.key").read_bytes(), password=None)
    if not isinstance(log_key, Ed25519PrivateKey):
        raise ValueError("log.key is not an Ed25519 key")
    return Keyring(
        certificate_chain_pem=(folder / "signer.pem").read_text() + authority,
        authority_pem=authority,
        signer_key_pem=(folder / "signer.key").read_text(),
        log_key=log_key,
        watermark_key=_secret(folder / "watermark.key"),
        pseudonym_key=_secret(folder / "pseudonym.key"),
    )


def _secret(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != 32:
        raise ValueError(f"{path.name} does not hold 32 bytes")
    return secret


def _make_missing(folder: Path) -> None:
    if not (folder / "ca.pem").exists() or not (folder / "signer.pem").exists():
        _make_certificates(folder)
    if not (folder / "log.key").exists():
        _write(folder / "log.key", _private_pem(Ed25519PrivateKey.generate()))
    for name in ("watermark.key", "pseudonym.key"):
        if not (folder / name).exists():
            _write(folder / name, secrets.token_bytes(32))


def _make_certificates(folder: Path) -> None:
    """A fresh authority and leaf; the certificates are written last, so a half-made set is made
    again.
    """
    now = datetime.now(UTC) - timedelta(minutes=5)
    authority_key, leaf_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    authority = _authority(authority_key, now)
    leaf = _leaf(leaf_key, authority_key, authority, now)
    _write(folder / "ca.key", _private_pem(authority_key))
    _write(folder / "signer.key", _private_pem(leaf_key))
    _write(folder / "ca.pem", authority.public_bytes(serialization.Encoding.PEM))
    _write(folder / "signer.pem", leaf.public_bytes(serialization.Encoding.PEM))


def _name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Proofsheet local installation"),
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


def _authority(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    name = _name("Proofsheet local certificate authority")
    return (
        x509.CertificateBuilder(issuer_name=name, subject_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365 * CA_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(is_authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _leaf(
    key: ec.EllipticCurvePrivateKey,
    authority_key: ec.EllipticCurvePrivateKey,
    authority: x509.Certificate,
    now: datetime,
) -> x509.Certificate:
    authority_id = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    return (
        x509.CertificateBuilder(
            issuer_name=authority.subject, subject_name=_name("Proofsheet manifest signer")
        )
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=365 * LEAF_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(is_authority=False), critical=True)
        .add_extension(
            x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(authority_id, critical=False)
        .sign(authority_key, hashes.SHA256())
    )


def _private_pem(key: ec.EllipticCurvePrivateKey | Ed25519PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes) -> None:
    """Write readable by the owner only, and whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
