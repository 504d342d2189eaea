"""A signing certificate from outside, such as one of a C2PA conformance programme. No Django.

Its key is a file, in clear or encrypted, or stays where it is (PKCS#11, a KMS, a signing service):
then a program signs, which gets the bytes on its standard input and writes the signature to its
standard output, raw or as DER.
"""

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from config.core.errors import ProofsheetError
from provenance.keys import certificates
from provenance.keys.key_folder import Keyring, KeysUnusable

SECONDS = 10.0


class OutsideKeyFailed(ProofsheetError):
    """The operator's signing program ended badly, took too long or wrote nothing."""

    default_code = "outside_key_failed"
    default_message = "The program that signs did not give a signature."
    default_advice = "Look at the worker's log, then run the program by hand on a few bytes."
    default_status = 503


@dataclass(frozen=True, slots=True)
class SigningProgram:
    """A command that signs what it reads. Called with bytes, it gives their signature."""

    command: tuple[str, ...]
    seconds: float = SECONDS

    def __call__(self, data: bytes) -> bytes:
        try:
            done = subprocess.run(
                self.command, input=data, capture_output=True, timeout=self.seconds, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise OutsideKeyFailed(message=f"The program that signs failed: {error}.") from error
        if done.returncode or not done.stdout:
            why = done.stderr.decode(errors="replace").strip()[-300:] or "it wrote nothing"
            raise OutsideKeyFailed(message=f"The program that signs failed: {why}.")
        return done.stdout


@dataclass(frozen=True, slots=True)
class OutsideKey:
    """Where the certificate chain (PEM, the leaf first) lies, and its key or the program that signs
    with it. `passphrase` opens a key that is encrypted (PKCS#8). `anchors` names a file with the
    authorities that vouch for it; without one, the last certificate of the chain does.
    """

    chain: Path
    key: Path | None = None
    passphrase: str = field(default="", repr=False)
    command: Sequence[str] = ()
    algorithm: str = "es256"
    anchors: Path | None = None

    def stamp(self) -> tuple[int, ...]:
        """Changes when one of the files does."""
        paths = [path for path in (self.chain, self.key, self.anchors) if path is not None]
        return tuple(path.stat().st_mtime_ns if path.exists() else 0 for path in paths)

    def put_into(self, keyring: Keyring) -> Keyring:
        """The keyring that signs manifests with this key; what the own authority vouches for stays
        trusted.

        Raises:
            KeysUnusable: a file is missing or unreadable, or neither key nor program is given.
        """
        try:
            chain = self.chain.read_text()
            parts = x509.load_pem_x509_certificates(chain.encode())
            anchors = self.anchors.read_text() if self.anchors else ""
            key = self._key_pem()
        except (OSError, ValueError, TypeError) as error:  # TypeError: no passphrase
            raise KeysUnusable(
                message=f"The certificate from outside cannot be read: {error}."
            ) from error
        if not anchors and len(parts) < 2:
            raise KeysUnusable(
                message="Nobody vouches for the certificate from outside: its chain ends with it.",
                advice="Put the issuing authority into the chain, or set C2PA_TRUST_ANCHORS.",
            )
        if not key and not self.command:
            raise KeysUnusable(
                message="The certificate from outside has no key.",
                advice="Set C2PA_PRIVATE_KEY or C2PA_SIGN_COMMAND.",
            )
        vouching = anchors or certificates.public_pem(parts[-1]).decode()
        return replace(
            keyring,
            certificate_chain_pem=chain,
            signer_key_pem=key,
            anchors_pem=f"{keyring.anchors_pem}\n{vouching}",
            algorithm=self.algorithm,
            sign=SigningProgram(tuple(self.command)) if self.command else None,
        )

    def _key_pem(self) -> str:
        """The key as c2pa takes it, which lies in clear in memory alone."""
        pem = self.key.read_bytes() if self.key else b""
        if b"ENCRYPTED" in pem:
            opened = serialization.load_pem_private_key(pem, self.passphrase.encode() or None)
            pem = opened.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        return pem.decode()
