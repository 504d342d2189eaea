"""How an API key is spelled. Pure.

``ps_key_``, 43 random characters of base62 (256 bits), and six more that are the CRC-32 of all
before them: a secret scanner finds a key by its prefix and tells a real one from text that looks
like one, and a mistyped key is refused without asking the database.

Kept is its SHA-256 alone. A slow hash guards what people choose; nobody tries 2^256 keys, and a
slow one would be paid at every call.
"""

import hashlib
import re
import secrets
import zlib

PREFIX = "ps_key_"
PATTERN = rf"{PREFIX}[0-9A-Za-z]{{49}}"
LEGACY = re.compile(r"[0-9a-f]{40}")
"""A token of before there were keys: it goes on until its end, see the first migration."""
_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SECRET_LENGTH, _CHECK_LENGTH, _HINT_LENGTH = 43, 6, 4
_KEY = re.compile(PATTERN)


def new_key() -> str:
    """A key that nobody has seen, of 256 random bits."""
    body = PREFIX + "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return body + _checksum(body)


def is_spelled_right(key: str) -> bool:
    """Whether it can be a key at all: its form and its checksum."""
    if LEGACY.fullmatch(key):
        return True
    return bool(_KEY.fullmatch(key)) and _checksum(key[:-_CHECK_LENGTH]) == key[-_CHECK_LENGTH:]


def digest_of(key: str) -> str:
    """What is kept of a key: its SHA-256, in hex."""
    return hashlib.sha256(key.encode()).hexdigest()


def hint_of(key: str) -> str:
    """What is shown of it later, so that its owner tells it from the others."""
    return key[: len(PREFIX) + _HINT_LENGTH]


def _checksum(body: str) -> str:
    number, text = zlib.crc32(body.encode()), ""
    for _ in range(_CHECK_LENGTH):
        number, place = divmod(number, len(_ALPHABET))
        text = _ALPHABET[place] + text
    return text
