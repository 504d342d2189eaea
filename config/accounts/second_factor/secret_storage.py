"""What second factors are made of is encrypted in the database, with keys that follow from
SECRET_KEY and its fallbacks: a copy of the tables alone gives nobody's codes.
"""

from __future__ import annotations

import base64

from allauth.mfa.adapter import DefaultMFAAdapter
from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"proofsheet: second factors"
_MARK = "gAAAA"  # how every Fernet token begins


class Secrets(DefaultMFAAdapter):  # type: ignore[misc] # allauth has no types
    """Second factors' secrets lie encrypted in the database."""

    def encrypt(self, text: str) -> str:
        return _cipher().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Secrets of before are in clear: no base32 secret or seed begins as a token does."""
        if not encrypted_text.startswith(_MARK):
            return encrypted_text
        return _cipher().decrypt(encrypted_text.encode()).decode()


def _cipher() -> MultiFernet:
    """The newest key encrypts; those of the fallbacks still open what they closed."""
    words = [str(word) for word in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_key(word)) for word in words])


def _key(word: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(word.encode())
    return base64.urlsafe_b64encode(derived)
