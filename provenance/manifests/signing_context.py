"""This installation's manifest signer, made once a process and again after a rotation."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from provenance.keys import installed_keys
from provenance.keys.key_folder import KeysUnusable
from provenance.manifests.content_credentials import Signer, TimestampAuthority


def signer() -> Signer:
    """The manifest signer. Raises `KeysUnusable`, `SigningFailed` or `AuthorityUnusable`."""
    return _signer(installed_keys.in_use(), timestamp_authority(), _trust_list())


def timestamp_authority() -> TimestampAuthority | None:
    """Who is asked for timestamps, where settings name somebody. Raises `KeysUnusable`."""
    if not settings.PROOFSHEET_TSA_URL:
        return None
    try:
        anchors = Path(settings.PROOFSHEET_TSA_CERTIFICATES).read_text()
    except OSError as error:
        raise KeysUnusable(
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
        raise KeysUnusable(
            message=f"The trust list of the verify page cannot be read: {error}.",
            advice="Set VERIFY_TRUST_LIST to PEM files of authorities, separated by commas.",
        ) from error


@lru_cache(maxsize=4)
def _signer(
    keys: installed_keys.KeysInUse, timestamps: TimestampAuthority | None, listed_pem: str
) -> Signer:
    """`keys` are asked for again: they are what it is remembered by."""
    return Signer(installed_keys.keyring(), timestamps=timestamps, listed_pem=listed_pem)
