"""The installation's own keys, made once in one folder and never sent anywhere. No Django.

`ca.pem` with `ca.key`: a local certificate authority. `signer.pem` with `signer.key`: the ES256
leaf that signs manifests. Their certificates stay when others take over. `log.key`: Ed25519, signs
checkpoints. `watermark.key` and `pseudonym.key`: 32 random bytes each.

`keys.json` is there after the first rotation and says which files are in use: new keys lie beside
it under new names, and replacing it is the one step by which they come into use.
"""

import base64
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.core.errors import ProofsheetError
from provenance.keys import certificates

PLAN = "keys.json"
LOCK = ".lock"
_OVER = {"retired_at", "distrusted_since"}
_SECRETS = ("watermark.key", "pseudonym.key")


class KeysUnusable(ProofsheetError):
    """A key is missing, unreadable or cannot be written, so nothing is signed."""

    default_code = "keys_unusable"
    default_message = "The signing keys cannot be read or made."
    default_advice = "Check the keys folder: its files, its owner, and the space left on its disk."
    default_status = 503


class KeysMissing(KeysUnusable):
    """There are no keys here, and whoever asked may not make any: others may sign elsewhere."""

    default_code = "keys_missing"
    default_message = "There are no signing keys in the keys folder."
    default_advice = (
        "Mount the folder with this house's keys, or restore it from a backup; `manage.py "
        "prepare_house` makes the keys of a new house."
    )


@dataclass(frozen=True, slots=True)
class LogKey:
    """A key of the log. The newest has no end; an older one signs beside it until `signs_until`,
    and verifies what it signed for ever. `private` is None once it is destroyed.
    """

    public: Ed25519PublicKey
    private: Ed25519PrivateKey | None
    signs_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Keyring:
    """Everything that signs or marks. PEM text as c2pa wants it: the leaf first, then the
    authority.

    `anchors_pem` are the authorities that are vouched for, `authorities_pem` all that ever were.
    `distrusted` are those, as PEM, that are relied on only for what was there before a given time.
    `sign` is set where the private key lies elsewhere: it takes the bytes to sign and gives the
    signature. `revoked` says of certificates, by serial number in decimal, since when they are not
    to be relied on.
    """

    certificate_chain_pem: str
    authority_pem: str
    signer_key_pem: str
    log_keys: tuple[LogKey, ...]
    watermark_key: bytes
    pseudonym_key: bytes
    anchors_pem: str = ""
    authorities_pem: str = ""
    distrusted: tuple[tuple[str, str], ...] = ()
    algorithm: str = "es256"
    sign: Callable[[bytes], bytes] | None = None
    revoked: Mapping[str, str] = field(default_factory=dict)

    @property
    def log_key(self) -> Ed25519PrivateKey:
        """The log's newest key."""
        newest = self.log_keys[0].private
        assert newest is not None, "a key is destroyed only when a newer one took over"
        return newest

    def log_signers(self, *, at: datetime) -> list[Ed25519PrivateKey]:
        """The keys that sign at that time, the newest first."""
        return [
            key.private
            for key in self.log_keys
            if key.private is not None and (key.signs_until is None or at < key.signs_until)
        ]

    def log_verifiers(self, *, at: datetime | None = None) -> list[Ed25519PublicKey]:
        """The public keys that a signature may be by, or one that was made at that time."""
        return [
            key.public
            for key in self.log_keys
            if at is None or key.signs_until is None or at < key.signs_until
        ]


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """Which files are in use: names without suffix. `authorities` and `log` have the newest first;
    an older authority may be `retired_at` a time or `distrusted_since` one.
    """

    signer: str = "signer"
    authorities: tuple[Mapping[str, Any], ...] = ({"name": "ca"},)
    log: tuple[Mapping[str, Any], ...] = ({"name": "log"},)
    revoked: Mapping[str, str] = field(default_factory=dict)

    @property
    def authority(self) -> str:
        """The authority that issues new certificates."""
        return str(self.authorities[0]["name"])


def load_or_make(folder: Path, *, organization: str = certificates.HOUSE) -> Keyring:
    """The keyring of a folder; what is missing is made, its signer in the organisation's name. Safe
    when several processes start at once.

    Raises:
        KeysUnusable: the folder cannot be written or holds something unreadable.
    """
    with locked(folder):
        _make_missing(folder, organization)
        return load(folder)


def load_made(folder: Path) -> Keyring:
    """The keyring of a folder as it is; nothing is made.

    Raises:
        KeysMissing: no keys were ever made there.
        KeysUnusable: the folder holds something unreadable, or a part of it is missing.
    """
    if not has_keys(folder):
        raise KeysMissing(message=f"There are no signing keys in {folder.name}/.")
    with _told_as_unusable(folder), _unchanged(folder):
        return load(folder)


def has_keys(folder: Path) -> bool:
    """Whether keys were made here, all of them or some."""
    return any((folder / name).exists() for name in (PLAN, "log.key", "ca.pem", "signer.pem"))


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the folder alone; what goes wrong inside is told as `KeysUnusable`."""
    with _told_as_unusable(folder):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


@contextmanager
def _unchanged(folder: Path) -> Iterator[None]:
    """Nobody changes the folder meanwhile. It may be mounted read-only: the lock is only read, and
    where none was ever made, nobody has changed anything."""
    try:
        lock = (folder / LOCK).open()
    except FileNotFoundError:
        yield
        return
    with lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


@contextmanager
def _told_as_unusable(folder: Path) -> Iterator[None]:
    """What goes wrong inside is `KeysUnusable`."""
    try:
        yield
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KeysUnusable(
            message=f"The signing keys in {folder.name}/ cannot be read or made: {error}."
        ) from error


def stamp(folder: Path) -> tuple[int, ...]:
    """Changes when other keys come into use; cheap enough to ask before every signature.

    The inode tells two plans apart where a file system counts in seconds.
    """
    try:
        found = (folder / PLAN).stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_ino


def read_plan(folder: Path) -> KeyPlan:
    """Which files are in use; the first keys where nothing was rotated yet. Raises `OSError`,
    `ValueError`, `KeyError`.
    """
    path = folder / PLAN
    if not path.exists():
        return KeyPlan()
    said = json.loads(path.read_text())
    authorities = said.get("authorities", KeyPlan().authorities)  # not in plans of before ADR 56
    return KeyPlan(said["signer"], tuple(authorities), tuple(said["log"]), said["revoked"])


def write_plan(folder: Path, plan: KeyPlan) -> None:
    """Bring these files into use, at once and for every process."""
    said = {
        "signer": plan.signer,
        "authorities": list(plan.authorities),
        "log": list(plan.log),
        "revoked": dict(plan.revoked),
    }
    write(folder / PLAN, json.dumps(said, indent=1).encode())


def load(folder: Path) -> Keyring:
    """The keyring as it is, for whoever holds the folder locked. Raises `OSError`, `ValueError`."""
    plan = read_plan(folder)
    told = [(said, (folder / f"{said['name']}.pem").read_text()) for said in plan.authorities]
    authority = told[0][1]
    return Keyring(
        certificate_chain_pem=(folder / f"{plan.signer}.pem").read_text() + authority,
        authority_pem=authority,
        signer_key_pem=(folder / f"{plan.signer}.key").read_text(),
        log_keys=tuple(_log_key(folder, said) for said in plan.log),
        watermark_key=_secret(folder / "watermark.key"),
        pseudonym_key=_secret(folder / "pseudonym.key"),
        anchors_pem="".join(pem for said, pem in told if not _OVER & said.keys()),
        authorities_pem="".join(pem for _, pem in told),
        distrusted=tuple(
            (pem, said["distrusted_since"]) for said, pem in told if "distrusted_since" in said
        ),
        revoked=plan.revoked,
    )


def _log_key(folder: Path, said: Mapping[str, Any]) -> LogKey:
    """A retired key leaves its public half in the plan when its file is destroyed."""
    until = datetime.fromisoformat(said["signs_until"]) if "signs_until" in said else None
    path = folder / f"{said['name']}.key"
    if until is not None and not path.exists():
        public = Ed25519PublicKey.from_public_bytes(base64.b64decode(said["public"]))
        return LogKey(public, None, until)
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{path.name} is not an Ed25519 key")
    return LogKey(key.public_key(), key, until)


def _secret(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != 32:
        raise ValueError(f"{path.name} does not hold 32 bytes")
    return secret


def _make_missing(folder: Path, organization: str) -> None:
    """The certificates are written last, so a half-made set is made again."""
    has_certificates = (folder / "ca.pem").exists() and (folder / "signer.pem").exists()
    if not (folder / PLAN).exists() and not has_certificates:
        now = datetime.now(UTC)
        authority_key, authority = certificates.make_authority(at=now)
        leaf_key, leaf = certificates.make_leaf(
            authority_key, authority, at=now, organization=organization
        )
        write(folder / "ca.key", certificates.private_pem(authority_key))
        write(folder / "signer.key", certificates.private_pem(leaf_key))
        write(folder / "ca.pem", certificates.public_pem(authority))
        write(folder / "signer.pem", certificates.public_pem(leaf))
    if not (folder / PLAN).exists() and not (folder / "log.key").exists():
        write(folder / "log.key", certificates.private_pem(Ed25519PrivateKey.generate()))
    for name in _SECRETS:
        if not (folder / name).exists():
            write(folder / name, secrets.token_bytes(32))


def write(path: Path, data: bytes) -> None:
    """Write readable by the owner only, and whole or not at all."""
    part = path.with_suffix(path.suffix + ".part")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
