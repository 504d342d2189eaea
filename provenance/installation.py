"""This installation's keyring and manifest signer, loaded once a process."""

from functools import cache
from pathlib import Path

from django.conf import settings

from provenance import keys
from provenance.manifests import Signer


def keyring() -> keys.Keyring:
    """The keys in `settings.PROOFSHEET_KEYS_DIR`; made at first use. Raises `keys.KeysUnusable`."""
    return _keyring(Path(settings.PROOFSHEET_KEYS_DIR))


def signer() -> Signer:
    """The manifest signer. Raises `keys.KeysUnusable` or `manifests.SigningFailed`."""
    return _signer(Path(settings.PROOFSHEET_KEYS_DIR))


@cache
def _keyring(folder: Path) -> keys.Keyring:
    return keys.load_or_make(folder)


@cache
def _signer(folder: Path) -> Signer:
    return Signer(_keyring(folder))
