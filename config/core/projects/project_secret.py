"""A project's own secret: sealed in the database with a key that follows from SECRET_KEY and its
fallbacks, so that a copy of the tables alone lets nobody try out who an end user is.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from hashlib import sha256

from cryptography.fernet import Fernet, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

_PURPOSE = b"proofsheet: secrets of projects"


def new() -> bytes:
    """A fresh one, sealed."""
    return _cipher().encrypt(secrets.token_bytes(32))


def digest(sealed: bytes | memoryview, said: str) -> str:
    """HMAC-SHA-256 of `said` under the sealed secret, hexadecimal."""
    key = _cipher().decrypt(bytes(sealed))
    return hmac.new(key, said.encode("utf-8", "surrogatepass"), sha256).hexdigest()


def _cipher() -> MultiFernet:
    """The newest key seals; those of the fallbacks still open what they sealed."""
    words = [str(word) for word in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]
    return MultiFernet([Fernet(_key(word)) for word in words])


def _key(word: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(word.encode())
    return base64.urlsafe_b64encode(derived)
