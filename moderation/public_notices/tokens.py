"""How the token of a public address is made and spelled.

An HMAC-SHA256 under the house's pseudonym key, of the thing's id and a number, cut to 22 letters
and digits: 128 bits and more. The same thing gets the same token whenever it is asked for, so
nothing but the token's SHA-256 has to be kept. Letters and digits alone, for what finds addresses
in a text leaves a last `-` or `_` out; and none that look like another, for it may be typed in.
"""

import hmac
from hashlib import sha256
from uuid import UUID

from provenance.keys.installed_keys import keyring

LENGTH = 22
ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_PURPOSE = b"public-address:"


def token_of(thing_id: UUID, number: int) -> str:
    """Raises key_folder.KeysUnusable."""
    said = _PURPOSE + thing_id.bytes + number.to_bytes(2)
    left, token = int.from_bytes(hmac.digest(keyring().pseudonym_key, said, sha256)), ""
    for _ in range(LENGTH):
        left, place = divmod(left, len(ALPHABET))
        token += ALPHABET[place]
    return token


def digest_of(token: str) -> str:
    """What is kept of it. Looking it up says nothing by its time: nobody can choose a digest."""
    return sha256(token.encode()).hexdigest()


def is_spelled_right(token: str) -> bool:
    """Whether it can be a token at all."""
    return len(token) == LENGTH and all(letter in ALPHABET for letter in token)
