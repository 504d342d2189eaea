"""This installation's keyring and manifest signer, loaded once a process and again after a
rotation.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from provenance.keys import key_folder
from provenance.keys.outside_key import OutsideKey
from provenance.manifests.content_credentials import Signer, TimestampAuthority

_Stamp = tuple[int, ...]


def keyring() -> key_folder.Keyring:
    """The keys in `settings.PROOFSHEET_KEYS_DIR`, made at first use, with the certificate from
    outside where settings name one. Raises `keys.KeysUnusable`.
    """
    outside = _outside_key()
    return _keyring(Path(settings.PROOFSHEET_KEYS_DIR), outside, _stamp(outside))


@contextmanager
def changing_keys() -> Iterator[tuple[Path, key_folder.KeyPlan]]:
    """The folder of the keys and its plan, which nobody else changes meanwhile; the first keys are
    made where there are none. Raises `keys.KeysUnusable`.
    """
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    keyring()
    with key_folder.locked(folder):
        yield folder, key_folder.read_plan(folder)


def signer() -> Signer:
    """The manifest signer. Raises `keys.KeysUnusable`, `manifests.SigningFailed` or
    `manifests.AuthorityUnusable`.
    """
    outside = _outside_key()
    folder, stamp = Path(settings.PROOFSHEET_KEYS_DIR), _stamp(outside)
    return _signer(folder, outside, stamp, timestamp_authority(), _trust_list())


def timestamp_authority() -> TimestampAuthority | None:
    """Who is asked for timestamps, where settings name somebody. Raises `keys.KeysUnusable`."""
    if not settings.PROOFSHEET_TSA_URL:
        return None
    try:
        anchors = Path(settings.PROOFSHEET_TSA_CERTIFICATES).read_text()
    except OSError as error:
        raise key_folder.KeysUnusable(
            message=f"The certificates of the timestamping authority cannot be read: {error}.",
            advice="Set TSA_CERTIFICATES to a PEM file with the authority's root.",
        ) from error
    return TimestampAuthority(
        settings.PROOFSHEET_TSA_URL, anchors, settings.PROOFSHEET_TSA_TIMEOUT_MS / 1000
    )


def _trust_list() -> str:
    """The authorities whose signers are known here but are not ours, as PEM, as they are now."""
    try:
        return "\n".join(Path(name).read_text() for name in settings.PROOFSHEET_TRUST_LIST)
    except (OSError, UnicodeDecodeError) as error:
        raise key_folder.KeysUnusable(
            message=f"The trust list of the verify page cannot be read: {error}.",
            advice="Set VERIFY_TRUST_LIST to PEM files of authorities, separated by commas.",
        ) from error


def has_outside_key() -> bool:
    """Whether settings name a signing certificate from outside."""
    return _outside_key() is not None


def _outside_key() -> OutsideKey | None:
    said: dict[str, Any] = dict(settings.PROOFSHEET_C2PA)
    if not said["certificates"]:
        return None
    return OutsideKey(
        chain=Path(said["certificates"]),
        key=Path(said["private_key"]) if said["private_key"] else None,
        command=tuple(said["command"]),
        algorithm=said["algorithm"],
        anchors=Path(said["trust_anchors"]) if said["trust_anchors"] else None,
    )


def _stamp(outside: OutsideKey | None) -> _Stamp:
    own = key_folder.stamp(Path(settings.PROOFSHEET_KEYS_DIR))
    return (*own, *(outside.stamp() if outside else ()))


@lru_cache(maxsize=4)
def _keyring(folder: Path, outside: OutsideKey | None, stamp: _Stamp) -> key_folder.Keyring:
    own = key_folder.load_or_make(folder)
    return outside.put_into(own) if outside else own


@lru_cache(maxsize=4)
def _signer(
    folder: Path,
    outside: OutsideKey | None,
    stamp: _Stamp,
    timestamps: TimestampAuthority | None,
    listed_pem: str,
) -> Signer:
    ring = _keyring(folder, outside, stamp)
    return Signer(ring, timestamps=timestamps, listed_pem=listed_pem)
