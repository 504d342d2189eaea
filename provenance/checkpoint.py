"""Signed-note checkpoints: C2SP tlog-checkpoint and signed-note with Ed25519 (signature type 0x01).
Pure.
"""

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from provenance.errors import ProofsheetError

_ED25519 = b"\x01"
_SIGNATURE_LINE = re.compile(r"\u2014 (\S+) (\S+)")


class NoteInvalid(ProofsheetError):
    default_code = "checkpoint_invalid"
    default_message = "The checkpoint is not signed by this log."
    default_advice = "Fetch the checkpoint again; if that fails too, do not rely on it."
    default_status = 422


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint states: the log's origin, its size in leaves, its 32-byte root hash."""

    origin: str
    tree_size: int
    root_hash: bytes

    def text(self) -> str:
        """The signed text, newline at the end."""
        return f"{self.origin}\n{self.tree_size}\n{base64.b64encode(self.root_hash).decode()}\n"


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def key_id(name: str, key: Ed25519PublicKey) -> bytes:
    """The four bytes that name a key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + _raw(key)).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey) -> str:
    """The public key in the note format: `name+hash+base64`."""
    return f"{name}+{key_id(name, key).hex()}+{base64.b64encode(_ED25519 + _raw(key)).decode()}"


def parse_verifier_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of `name+hash+base64`. Raises `NoteInvalid`."""
    try:
        name, named_id, encoded = text.strip().split("+", 2)
        blob = base64.b64decode(encoded, validate=True)
        if blob[:1] != _ED25519:
            raise NoteInvalid(message="The verifier key is of another algorithm than Ed25519.")
        key = Ed25519PublicKey.from_public_bytes(blob[1:])
    except (ValueError, binascii.Error) as error:
        raise NoteInvalid(message="The verifier key cannot be read.") from error
    if named_id != key_id(name, key).hex():
        raise NoteInvalid(message="The verifier key does not match its own hash.")
    return name, key


def sign(head: TreeHead, *, key: Ed25519PrivateKey) -> str:
    """The signed note of a tree head, signed under the origin's name."""
    text = head.text()
    blob = key_id(head.origin, key.public_key()) + key.sign(text.encode())
    return f"{text}\n\u2014 {head.origin} {base64.b64encode(blob).decode()}\n"


def verify(note: str, *, origin: str, key: Ed25519PublicKey) -> TreeHead:
    """The tree head of a note that `key` signed for `origin`. Raises `NoteInvalid`; signatures of
    others are passed over.
    """
    text, separator, signatures = note.partition("\n\n")
    if not separator or not note.endswith("\n"):
        raise NoteInvalid(message="The checkpoint is not a signed note.")
    text += "\n"
    head = _parse(text)
    if head.origin != origin:
        raise NoteInvalid(message="The checkpoint is from another log.")
    for line in signatures.splitlines():
        if _is_signed_by(line, text, origin, key):
            return head
    raise NoteInvalid


def _is_signed_by(line: str, text: str, origin: str, key: Ed25519PublicKey) -> bool:
    matched = _SIGNATURE_LINE.fullmatch(line)
    if not matched or matched[1] != origin:
        return False
    try:
        blob = base64.b64decode(matched[2], validate=True)
        is_plain = base64.b64encode(blob).decode() == matched[2]  # no stray bits in the last digit
        if not is_plain or blob[:4] != key_id(origin, key):
            return False
        key.verify(blob[4:], text.encode())
    except (binascii.Error, InvalidSignature):
        return False
    return True


def _parse(text: str) -> TreeHead:
    lines = text.split("\n")
    try:
        origin, size, root = lines[0], lines[1], base64.b64decode(lines[2], validate=True)
    except (IndexError, ValueError) as error:
        raise NoteInvalid(message="The checkpoint cannot be read.") from error
    if not origin or not re.fullmatch(r"0|[1-9][0-9]{0,18}", size) or len(root) != 32:
        raise NoteInvalid(message="The checkpoint cannot be read.")
    return TreeHead(origin, int(size), root)
