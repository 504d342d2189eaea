"""How a delivery is signed (https://www.standardwebhooks.com, specification 1.0.0). Pure.

What is signed is `id.timestamp.body`, the body as its very bytes. `v1` is HMAC-SHA256 under a
secret that both sides know; `v1a` is Ed25519, of which the receiver has the public key alone.
Base64 keeps its padding everywhere: some libraries take nothing else.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Scheme = Literal["v1", "v1a"]
SECRET_BYTES = 32
"""Of 24 to 64 that the specification allows."""

PREFIX_SECRET, PREFIX_PUBLIC = "whsec_", "whpk_"
_BODY_MAX_BYTES = 20_000


class BodyTooLong(ValueError):
    """A thin body names things; it does not carry them."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signs: its raw bytes, 32 of them for Ed25519."""

    scheme: Scheme
    raw: bytes

    @property
    def told(self) -> str:
        """What the receiver is given: the secret itself, or of a key pair the public half."""
        if self.scheme == "v1":
            return PREFIX_SECRET + _base64(self.raw)
        public = Ed25519PrivateKey.from_private_bytes(self.raw).public_key()
        return PREFIX_PUBLIC + _base64(public.public_bytes_raw())

    def sign(self, said: bytes) -> str:
        """One signature with its scheme before it."""
        if self.scheme == "v1":
            return "v1," + _base64(hmac.new(self.raw, said, sha256).digest())
        return "v1a," + _base64(Ed25519PrivateKey.from_private_bytes(self.raw).sign(said))


def new_key(scheme: Scheme) -> SigningKey:
    """A key that nobody has seen."""
    return SigningKey(scheme, secrets.token_bytes(SECRET_BYTES))


def headers(
    message_id: str, body: bytes, *, keys: Iterable[SigningKey], at: datetime
) -> dict[str, str]:
    """What goes with a body that is sent at `at`: each key signs, so that a receiver that knows
    one of two, while a secret is changed, finds its own.

    Raises BodyTooLong, and ValueError for an id with a full stop, which would blur what is signed.
    """
    if "." in message_id or not message_id.isascii():
        raise ValueError("an id holds no full stop")
    if len(body) >= _BODY_MAX_BYTES:
        raise BodyTooLong(f"a body has fewer than {_BODY_MAX_BYTES} bytes")
    timestamp = str(int(at.timestamp()))
    said = f"{message_id}.{timestamp}.".encode() + body
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(key.sign(said) for key in keys),
    }


def _base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()
