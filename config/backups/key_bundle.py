"""The keys folder as one encrypted file: for a passphrase, or for whoever has a private key.

A passphrase goes through scrypt (RFC 7914); for a recipient an X25519 key of one use and HKDF make
the same (RFC 7748, RFC 5869). What is inside is AES-256-GCM's (NIST SP 800-38D), the
first line of the file included.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from config.core.errors import ProofsheetError
from provenance.keys import key_folder

FORMAT, INFO = "proofsheet-keys/1", b"proofsheet keys of a backup"
PASSPHRASE_MIN, SCRYPT_COST = 12, 2**17


class KeysLocked(ProofsheetError):
    """The bundle is for another passphrase or private key, or it was altered."""

    default_code = "keys_locked"
    default_message = "The keys of the backup cannot be opened: another passphrase or private key."
    default_advice = "Look for the one that the backup was made for; nobody can do without it."


class LockUnusable(ProofsheetError):
    """What the keys should be locked with is nothing to lock with."""

    default_code = "lock_unusable"
    default_advice = (
        "A passphrase has twelve characters or more; a recipient is a public key as `openssl "
        "genpkey -algorithm x25519` with `openssl pkey -pubout` makes it."
    )


@dataclass(frozen=True, slots=True)
class Passphrase:
    """What people remember, or keep in a safe."""

    words: str

    def __post_init__(self) -> None:
        if len(self.words) < PASSPHRASE_MIN:
            raise LockUnusable(message="The passphrase is too short.")

    def new_key(self) -> tuple[dict[str, str], bytes]:
        """What the file says in clear, and the key that it is encrypted with."""
        salt = os.urandom(16)
        return {"kdf": "scrypt", "salt": salt.hex()}, self._key(salt)

    def key_of(self, said: Mapping[str, str]) -> bytes:
        """Raises KeyError, ValueError."""
        return self._key(bytes.fromhex(said["salt"]))

    def _key(self, salt: bytes) -> bytes:
        return Scrypt(salt=salt, length=32, n=SCRYPT_COST, r=8, p=1).derive(self.words.encode())


@dataclass(frozen=True, slots=True)
class Recipient:
    """Somebody whose private key is not on this host. Only who has it can open the file."""

    public: X25519PublicKey

    @classmethod
    def read(cls, path: Path) -> Recipient:
        """Of a PEM file. Raises LockUnusable."""
        key = _pem(path, serialization.load_pem_public_key)
        if not isinstance(key, X25519PublicKey):
            raise LockUnusable(message=f"{path.name} is no X25519 public key.")
        return cls(key)

    def new_key(self) -> tuple[dict[str, str], bytes]:
        """What the file says in clear, and the key that it is encrypted with."""
        once = X25519PrivateKey.generate()
        own = once.public_key().public_bytes_raw()
        shared = once.exchange(self.public)
        return {"kdf": "x25519", "once": own.hex()}, _mixed(shared, own, self.public)


@dataclass(frozen=True, slots=True)
class Identity:
    """The private key of a recipient."""

    private: X25519PrivateKey

    @classmethod
    def read(cls, path: Path) -> Identity:
        """Of a PEM file without a password. Raises LockUnusable."""
        key = _pem(path, lambda data: serialization.load_pem_private_key(data, password=None))
        if not isinstance(key, X25519PrivateKey):
            raise LockUnusable(message=f"{path.name} is no X25519 private key.")
        return cls(key)

    def key_of(self, said: Mapping[str, str]) -> bytes:
        """Raises KeyError, ValueError."""
        own = bytes.fromhex(said["once"])
        shared = self.private.exchange(X25519PublicKey.from_public_bytes(own))
        return _mixed(shared, own, self.private.public_key())


def _pem(path: Path, load: Any) -> object:
    try:
        return load(path.read_bytes())
    except (OSError, ValueError, TypeError) as error:
        raise LockUnusable(message=f"{path} cannot be read as a key: {error}.") from error


def _mixed(shared: bytes, once: bytes, recipient: X25519PublicKey) -> bytes:
    salt = once + recipient.public_bytes_raw()
    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=INFO).derive(shared)


def lock(folder: Path, lock_with: Passphrase | Recipient) -> bytes:
    """All files of the keys folder, encrypted. Raises KeysUnusable."""
    with key_folder.locked(folder):
        files = {
            path.name: base64.b64encode(path.read_bytes()).decode()
            for path in sorted(folder.iterdir())
            if path.is_file() and path.name != ".lock" and path.suffix != ".part"
        }
    said, key = lock_with.new_key()
    nonce = os.urandom(12)
    head = json.dumps({"format": FORMAT, "nonce": nonce.hex(), **said}).encode() + b"\n"
    return head + AESGCM(key).encrypt(nonce, json.dumps(files).encode(), head)


def is_one(path: Path) -> bool:
    """Whether a file is a bundle of keys, whoever can open it."""
    try:
        with path.open("rb") as file:
            return bool(json.loads(file.readline(1000))["format"] == FORMAT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def unlock(data: bytes, opened_by: Passphrase | Identity) -> dict[str, bytes]:
    """Names and contents of the keys folder's files. Raises KeysLocked."""
    head, newline, rest = data.partition(b"\n")
    try:
        said = json.loads(head)
        if said["format"] != FORMAT:
            raise ValueError("another format")
        inside = AESGCM(opened_by.key_of(said)).decrypt(
            bytes.fromhex(said["nonce"]), rest, head + newline
        )
        files = json.loads(inside)
    except (ValueError, KeyError, TypeError, InvalidTag) as error:
        raise KeysLocked from error
    return {Path(name).name: base64.b64decode(told) for name, told in files.items()}
