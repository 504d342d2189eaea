"""Canonical JSON for log entries: RFC 8785 narrowed to what an entry holds. Pure.

Allowed are objects with keys of `a-z 0-9 _ . -`, lists, strings, booleans, null and integers within
±(2**53 - 1); floats are not.
For this subset sorted keys, no spaces and Python's own escapes are exactly what RFC 8785 asks.
"""

import json
import re
from typing import Any

from config.core.errors import ProofsheetError

MAX_INTEGER = 2**53 - 1
_KEY = re.compile(r"[a-z0-9_.-]{1,64}")


class NotCanonical(ProofsheetError):
    """A value that has no canonical bytes, or bytes that are not the canonical ones."""

    default_code = "entry_not_canonical"
    default_message = "The entry cannot be written as canonical bytes."
    default_advice = "Use strings, integers, booleans, lists and objects with plain keys only."
    default_status = 422


def encode(value: Any) -> bytes:
    """The one byte string of a JSON value. Raises `NotCanonical` for what the subset leaves out."""
    _check(value)
    text = json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise NotCanonical(message="The entry holds half of a surrogate pair.") from error


def decode(data: bytes) -> Any:
    """The value of canonical bytes. Raises `NotCanonical` where `encode` would have written other
    bytes.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise NotCanonical(message="The entry is not JSON.") from error
    if encode(value) != data:
        raise NotCanonical(message="The entry is JSON, but not in canonical form.")
    return value


def _check(value: Any, depth: int = 0) -> None:
    if depth > 16:
        raise NotCanonical(message="The entry is nested too deeply.")
    match value:
        case None | bool() | str():
            return
        case int():
            if abs(value) > MAX_INTEGER:
                raise NotCanonical(message="The entry holds an integer beyond 2**53 - 1.")
        case list() | tuple():
            for item in value:
                _check(item, depth + 1)
        case dict():
            for key, item in value.items():
                if not isinstance(key, str) or not _KEY.fullmatch(key):
                    raise NotCanonical(message=f"The entry holds the key {key!r}.")
                _check(item, depth + 1)
        case _:
            raise NotCanonical(message=f"The entry holds a {type(value).__name__}.")
