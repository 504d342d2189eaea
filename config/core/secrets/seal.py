"""Secrets that the house must know again lie sealed in the database, with keys that follow from
SECRET_KEY and its fallbacks: a copy of the tables alone gives none of them.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


@dataclass(frozen=True, slots=True)
class Seal:
    """What one kind of secret is sealed with; `purpose` keeps the kinds apart."""

    purpose: bytes

    def close(self, secret: bytes) -> bytes:
        """Sealed by the newest key."""
        return self._cipher().encrypt(secret)

    def open(self, sealed: bytes | memoryview) -> bytes:
        """What was sealed, by the newest key or one of the fallbacks. Raises InvalidToken."""
        return self._cipher().decrypt(bytes(sealed))

    def _cipher(self) -> MultiFernet:
        words = [str(word) for word in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
        return MultiFernet([Fernet(self._key(word)) for word in words])

    def _key(self, word: str) -> bytes:
        hkdf = HKDF(algorithm=SHA256(), length=32, salt=None, info=self.purpose)
        return base64.urlsafe_b64encode(hkdf.derive(word.encode()))
