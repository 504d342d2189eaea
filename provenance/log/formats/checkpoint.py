"""Signed-note checkpoints: C2SP tlog-checkpoint and signed-note with Ed25519 (signature type 0x01),
and timed cosignatures of them (C2SP tlog-cosignature, type 0x04). Pure.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from config.core.errors import ProofsheetError

_ED25519, _COSIGNATURE = b"\x01", b"\x04"
_SIGNATURE_LINE = re.compile(r"\u2014 (\S+) (\S+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MOST_LEAVES = 2**63 - 1


class NoteInvalid(ProofsheetError):
    """A note that lacks the signature that it has to bear, or a key that cannot be read."""

    default_code = "checkpoint_invalid"
    default_message = "The checkpoint is not signed by this log."
    default_advice = "Fetch the checkpoint again; if that fails too, do not rely on it."
    default_status = 422


class NoteMalformed(NoteInvalid):
    """A line of signature that breaks the format of signed notes."""

    default_code = "checkpoint_malformed"
    default_message = "A signature line of the checkpoint cannot be read."


@dataclass(frozen=True, slots=True)
class TreeHead:
    """What a checkpoint states: the log's origin, its size in leaves, its 32-byte root hash, and
    whatever lines the log adds, which are signed too.
    """

    origin: str
    tree_size: int
    root_hash: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """The signed text, newline at the end."""
        root = base64.b64encode(self.root_hash).decode()
        return "".join(
            f"{line}\n" for line in (self.origin, str(self.tree_size), root, *self.extensions)
        )


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes_raw()


def key_id(name: str, key: Ed25519PublicKey, kind: bytes = _ED25519) -> bytes:
    """The four bytes that name a key in a signature line."""
    return hashlib.sha256(name.encode() + b"\n" + kind + _raw(key)).digest()[:4]


def verifier_key(name: str, key: Ed25519PublicKey, kind: bytes = _ED25519) -> str:
    """The public key in the note format: `name+hash+base64`."""
    encoded = base64.b64encode(kind + _raw(key)).decode()
    return f"{name}+{key_id(name, key, kind).hex()}+{encoded}"


def witness_key(name: str, key: Ed25519PublicKey) -> str:
    """The public key of a witness, whose timed cosignatures have a type of their own."""
    return verifier_key(name, key, _COSIGNATURE)


def parse_verifier_key(text: str, kind: bytes = _ED25519) -> tuple[str, Ed25519PublicKey]:
    """Name and key of `name+hash+base64`. Raises `NoteInvalid`."""
    try:
        name, named_id, encoded = text.strip().split("+", 2)
        blob = base64.b64decode(encoded, validate=True)
        if blob[:1] != kind:
            raise NoteInvalid(message="The verifier key is of another algorithm than this.")
        key = Ed25519PublicKey.from_public_bytes(blob[1:])
    except (ValueError, binascii.Error) as error:
        raise NoteInvalid(message="The verifier key cannot be read.") from error
    if named_id != key_id(name, key, kind).hex():
        raise NoteInvalid(message="The verifier key does not match its own hash.")
    return name, key


def parse_witness_key(text: str) -> tuple[str, Ed25519PublicKey]:
    """Name and key of a witness. Raises `NoteInvalid`."""
    return parse_verifier_key(text, _COSIGNATURE)


def sign(head: TreeHead, *, key: Ed25519PrivateKey) -> str:
    """The signed note of a tree head, signed under the origin's name."""
    return sign_text(head.text(), name=head.origin, key=key)


def sign_text(text: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """The signed note of a text that ends in a newline. Its first line must not be a log's origin,
    or it could be taken for a checkpoint.
    """
    return f"{text}\n{_signature_line(text, name, key)}"


def also_sign(note: str, *, name: str, key: Ed25519PrivateKey) -> str:
    """The note with one more signature of the same text. Raises `NoteInvalid`."""
    text, _ = _parts(note)
    return note + _signature_line(text, name, key)


def _signature_line(text: str, name: str, key: Ed25519PrivateKey) -> str:
    blob = key_id(name, key.public_key()) + key.sign(text.encode())
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"


def cosign(head: TreeHead, *, name: str, key: Ed25519PrivateKey, unix_time: int) -> str:
    """A signature line that says: at this time, this was the largest tree that `name` knew of."""
    signature = key.sign(_timed(head, unix_time))
    blob = key_id(name, key.public_key(), _COSIGNATURE) + unix_time.to_bytes(8) + signature
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n"


def cosigned_at(note: str, *, name: str, key: Ed25519PublicKey) -> int:
    """The Unix time of the cosignature that `key` made as `name`. Raises `NoteInvalid`."""
    text, signatures = _parts(note)
    head = _parse(text)
    for line in signatures.splitlines():
        matched = _SIGNATURE_LINE.fullmatch(line)
        if not matched or matched[1] != name:
            continue
        try:
            blob = base64.b64decode(matched[2], validate=True)
            is_plain = base64.b64encode(blob).decode() == matched[2]
            if not is_plain or blob[:4] != key_id(name, key, _COSIGNATURE):
                continue
            unix_time = int.from_bytes(blob[4:12])
            key.verify(blob[12:], _timed(head, unix_time))
        except (binascii.Error, InvalidSignature):
            continue
        return unix_time
    raise NoteInvalid(message="The checkpoint bears no valid cosignature of that name.")


def time_in(line: str) -> int:
    """The Unix time that a cosignature line claims; who claims it, `cosigned_at` checks."""
    matched = _SIGNATURE_LINE.fullmatch(line.rstrip("\n"))
    if matched is None:
        raise NoteInvalid(message="That is no signature line.")
    return int.from_bytes(base64.b64decode(matched[2])[4:12])


def _timed(head: TreeHead, unix_time: int) -> bytes:
    return f"cosignature/v1\ntime {unix_time}\n{head.text()}".encode()


def verify(note: str, *, origin: str, key: Ed25519PublicKey) -> TreeHead:
    """The tree head of a note that `key` signed for `origin`. Raises `NoteInvalid`; signatures of
    others are passed over.
    """
    text, signatures = _parts(note)
    head = _parse(text)
    if head.origin != origin:
        raise NoteInvalid(message="The checkpoint is from another log.")
    if any(_is_signed_by(line, text, origin, key) for line in signatures.splitlines()):
        return head
    raise NoteInvalid


def parse(note: str) -> TreeHead:
    """The tree head that a note states, whoever signed it. Raises `NoteInvalid`."""
    return _parse(_parts(note)[0])


def verify_by_any(
    note: str, *, origin: str, keys: Iterable[Ed25519PublicKey]
) -> tuple[TreeHead, Ed25519PublicKey]:
    """The tree head of a note, and the first of the keys that signed it for `origin`. Raises
    `NoteInvalid`.
    """
    refused = NoteInvalid()
    for key in keys:
        try:
            return verify(note, origin=origin, key=key), key
        except NoteInvalid as error:
            refused = error
    raise refused


def verify_text(note: str, *, name: str, keys: Iterable[Ed25519PublicKey]) -> str:
    """The text of a note that one of the keys signed as `name`. Raises `NoteInvalid`."""
    text, signatures = _parts(note)
    lines = signatures.splitlines()
    if any(_is_signed_by(line, text, name, key) for key in keys for line in lines):
        return text
    raise NoteInvalid(message="The note is not signed by this key.")


def lines_by(note: str, *, name: str, key: Ed25519PublicKey) -> list[str]:
    """The signature lines of a note that `key` made as `name`. Raises `NoteInvalid`."""
    text, signatures = _parts(note)
    return [line for line in signatures.splitlines() if _is_signed_by(line, text, name, key)]


def lines_by_known(note: str, *, name: str, keys: Iterable[Ed25519PublicKey]) -> list[str]:
    """The signature lines of a note by any of the keys as `name`, at least one; lines of others are
    passed over.

    Raises:
        NoteMalformed: a line is none.
        NoteInvalid: none is by a known key, or one that names a known key is not by it.
    """
    text, signatures = _parts(note)
    known = {key_id(name, key): key for key in keys}
    found = []
    for line in signatures.removesuffix("\n").split("\n"):
        signer, blob = _signer_of(line)
        if signer != name or blob[:4] not in known:
            continue
        if not _is_signed_by(line, text, name, known[blob[:4]]):
            raise NoteInvalid(message="A signature that names the log's key is not by it.")
        found.append(line)
    if not found:
        raise NoteInvalid
    return found


def _signer_of(line: str) -> tuple[str, bytes]:
    """Whom a signature line names, and its bytes. Raises `NoteMalformed`."""
    matched = _SIGNATURE_LINE.fullmatch(line)
    try:
        blob = base64.b64decode(matched[2], validate=True) if matched else b""
    except ValueError as error:
        raise NoteMalformed from error
    if matched is None or len(blob) < 5:
        raise NoteMalformed
    return matched[1], blob


def with_lines(note: str, lines: Iterable[str]) -> str:
    """The note's text under these signature lines alone. Raises `NoteInvalid`."""
    return f"{_parts(note)[0]}\n" + "".join(f"{line}\n" for line in lines)


def count_lines(note: str) -> int:
    """How many signatures a note bears, by whomever. Raises `NoteInvalid`."""
    return len(_parts(note)[1].splitlines())


def _parts(note: str) -> tuple[str, str]:
    """A note's text and its signature lines."""
    text, separator, signatures = note.rpartition("\n\n")
    if not separator or not note.endswith("\n") or _CONTROL.search(note):
        raise NoteInvalid(message="The checkpoint is not a signed note.")
    return text + "\n", signatures


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
    """The inverse of `TreeHead.text`, of its one spelling."""
    try:
        origin, size, root, *extensions = text.removesuffix("\n").split("\n")
        root_hash = base64.b64decode(root, validate=True)
    except ValueError as error:
        raise NoteInvalid(message="The checkpoint cannot be read.") from error
    is_size = re.fullmatch(r"0|[1-9][0-9]{0,18}", size) and int(size) <= _MOST_LEAVES
    if not origin or not is_size or len(root_hash) != 32 or "" in extensions:
        raise NoteInvalid(message="The checkpoint cannot be read.")
    head = TreeHead(origin, int(size), root_hash, tuple(extensions))
    if head.text() != text:
        raise NoteInvalid(message="The checkpoint cannot be read.")
    return head
