"""Verifying an ID token (OpenID Connect Core 1.0, 3.1.3.7). Asymmetric signatures alone."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import jwt

from config.accounts.single_sign_on.sign_on_refusals import SignOnFailed

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
LEEWAY_S = 60
TOKEN_MAX_LENGTH = 64 * 1024


def nonce_of(code_verifier: str) -> str:
    """What the ID token must repeat: it follows from a secret that this session alone has."""
    digest = hashlib.sha256(b"proofsheet nonce " + code_verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def verified(id_token: Any, *, keys: dict[str, Any], issuer: str, client_id: str) -> dict[str, Any]:
    """The claims of a token that `issuer` signed for `client_id`. Raises SignOnFailed."""
    if not isinstance(id_token, str) or len(id_token) > TOKEN_MAX_LENGTH:
        raise SignOnFailed
    try:
        header = jwt.get_unverified_header(id_token)
        claims = jwt.decode(
            id_token,
            _key(keys, header.get("kid")),
            algorithms=[*ALGORITHMS],
            audience=client_id,
            issuer=issuer,
            leeway=LEEWAY_S,
            options={"require": ["iss", "sub", "aud", "exp", "iat"]},
        )
    except (jwt.PyJWTError, TypeError, ValueError) as error:
        raise SignOnFailed from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", None if several else client_id) != client_id:
        raise SignOnFailed
    return dict(claims)


def _key(keys: dict[str, Any], kid: str | None) -> Any:
    """By its id; without one only where there is no other."""
    found = jwt.PyJWKSet.from_dict(keys).keys
    fitting = [one for one in found if one.key_id == kid] if kid else found
    if len(fitting) != 1:
        raise jwt.InvalidTokenError("no such key")
    return fitting[0]
