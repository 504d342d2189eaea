"""`.tlog-proof` files (C2SP tlog-proof): an entry's place in a signed tree, for offline use. Pure.

The `extra` line carries the entry's own bytes, from which the leaf hash is made.
"""

import base64
import binascii
import re
from dataclasses import dataclass

from config.core.errors import ProofsheetError

HEADER = "c2sp.org/tlog-proof@v1"
MAX_PATH = 64


class ProofUnreadable(ProofsheetError):
    """A file that breaks the format of tlog-proof."""

    default_code = "proof_unreadable"
    default_message = "The proof is not a tlog-proof file."
    default_advice = "Fetch it again from the log."
    default_status = 422


@dataclass(frozen=True, slots=True)
class Proof:
    """A leaf index, the audit path from the leaf upwards, the checkpoint, and the entry's bytes."""

    index: int
    path: tuple[bytes, ...]
    note: str
    body: bytes


def write(proof: Proof) -> str:
    """The proof as text."""
    lines = [HEADER, f"extra {_encoded(proof.body)}", f"index {proof.index}"]
    lines += [_encoded(digest) for digest in proof.path]
    return "\n".join(lines) + "\n\n" + proof.note


def read(text: str) -> Proof:
    """The inverse of `write`, byte for byte. Raises `ProofUnreadable`."""
    head, separator, note = text.partition("\n\n")
    lines = head.split("\n")
    if not separator or len(lines) < 3 or len(lines) > 3 + MAX_PATH:
        raise ProofUnreadable
    index = re.fullmatch(r"index (0|[1-9][0-9]{0,18})", lines[2])
    if lines[0] != HEADER or not lines[1].startswith("extra ") or index is None:
        raise ProofUnreadable
    path = tuple(_decoded(line) for line in lines[3:])
    if any(len(digest) != 32 for digest in path):
        raise ProofUnreadable
    return Proof(int(index[1]), path, note, _decoded(lines[1].removeprefix("extra ")))


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decoded(text: str) -> bytes:
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProofUnreadable from error
    if _encoded(data) != text:
        raise ProofUnreadable
    return data
