"""This installation's keyring, loaded once a process and again after a rotation.

The one module of this folder that reads settings.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from provenance.keys import key_folder
from provenance.keys.outside_key import OutsideKey

KeysInUse = tuple[Path, OutsideKey | None, tuple[int, ...]]
"""The folder, the certificate from outside, and what changes when other keys come into use."""


def keyring() -> key_folder.Keyring:
    """The keys in `settings.PROOFSHEET_KEYS_DIR`, with the certificate from outside where settings
    name one. Raises `KeysMissing` where none were made, `KeysUnusable`.
    """
    return _keyring(in_use())


def make_missing() -> None:
    """Make what the folder lacks; for `log.own_keys`, which asks first whether it may.
    Raises `KeysUnusable`.
    """
    key_folder.load_or_make(
        Path(settings.PROOFSHEET_KEYS_DIR), organization=settings.PROOFSHEET_PROVIDER
    )


def in_use() -> KeysInUse:
    """Tells the keys from those after a rotation; cheap enough to ask before every signature."""
    folder, outside = Path(settings.PROOFSHEET_KEYS_DIR), _outside_key()
    return folder, outside, (*key_folder.stamp(folder), *(outside.stamp() if outside else ()))


@contextmanager
def changing_keys() -> Iterator[tuple[Path, key_folder.KeyPlan]]:
    """The folder of the keys and its plan, which nobody else changes meanwhile. Raises
    `KeysMissing`, `KeysUnusable`.
    """
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    keyring()
    with key_folder.locked(folder):
        yield folder, key_folder.read_plan(folder)


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
        passphrase=said.get("passphrase", ""),
        command=tuple(said["command"]),
        algorithm=said["algorithm"],
        anchors=Path(said["trust_anchors"]) if said["trust_anchors"] else None,
    )


@lru_cache(maxsize=4)
def _keyring(keys: KeysInUse) -> key_folder.Keyring:
    folder, outside, _ = keys
    own = key_folder.load_made(folder)
    return outside.put_into(own) if outside else own
