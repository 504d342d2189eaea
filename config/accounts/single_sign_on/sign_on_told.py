"""What the settings file says, to whoever asks while the house runs."""

from __future__ import annotations

from django.conf import settings

from config.accounts.single_sign_on.sign_on_file import IdentityProvider, SignOn
from config.accounts.single_sign_on.sign_on_refusals import SignOnFailed


def told() -> SignOn:
    """All of it."""
    found: SignOn = settings.PROOFSHEET_SIGN_ON
    return found


def provider_told(provider_id: str) -> IdentityProvider:
    """One of its providers. Raises SignOnFailed for one that has left the file."""
    found = told().provider(provider_id)
    if found is None:
        raise SignOnFailed
    return found
