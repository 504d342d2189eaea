"""What a witness of a log decides (C2SP tlog-witness), and the form in which it is asked. Pure.

A witness remembers the largest tree that it has seen of a log, and cosigns a larger one only with a
proof that nothing was taken back. So a log cannot show one history to some people and another to
others without its witness refusing one of them.
"""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from config.core.errors import ProofsheetError
from provenance.log.formats import checkpoint, merkle

MAX_PROOF = 63
MAX_REQUEST_BYTES = 64 * 1024
SIZE_TYPE = "text/x.tlog.size"
LogKeys = Mapping[str, Sequence[Ed25519PublicKey]]
"""The keys of each log by its origin."""


class RequestMalformed(ProofsheetError):
    """A body that is not an add-checkpoint request."""

    default_code = "witness_request_malformed"
    default_message = "The request is not one to add a checkpoint."
    default_advice = "Send the old size, the consistency proof, an empty line, and the checkpoint."
    default_status = 400


class LogUnknown(ProofsheetError):
    """A checkpoint of a log that this witness was not told to watch."""

    default_code = "witness_log_unknown"
    default_message = "This witness does not watch that log."
    default_advice = "Ask its operator to add the log's key."
    default_status = 404


class SignatureUnknown(ProofsheetError):
    """A checkpoint that none of the log's known keys signed."""

    default_code = "witness_signature_unknown"
    default_message = "None of the log's keys that this witness knows signed the checkpoint."
    default_advice = "Tell the witness's operator of a new key before the old one stops signing."
    default_status = 403


class SizeConflict(ProofsheetError):
    """`size` is that of the largest tree that was cosigned."""

    default_code = "witness_size_conflict"
    default_message = "The witness has seen another tree of this log."
    default_advice = "Prove consistency with the size that it names."
    default_status = 409

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size


class TreesDisagree(ProofsheetError):
    """A fork: another tree of a size that was seen before, or an empty one that is not."""

    default_code = "witness_trees_disagree"
    default_message = "The log shows two different trees of one size: it was forked."
    default_advice = "Keep the checkpoint: it proves that the log does not hold."
    default_status = 422


@dataclass(frozen=True, slots=True)
class SeenTree:
    """The largest tree of a log that a witness has cosigned; nothing of it has size 0."""

    size: int = 0
    root: bytes = merkle.EMPTY_ROOT


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A checkpoint, the size that its sender believes the witness has seen, and the proof from
    there.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: str


def write(asked: AddCheckpoint) -> bytes:
    """The body of the request."""
    lines = [f"old {asked.old_size}", *(base64.b64encode(each).decode() for each in asked.proof)]
    return ("\n".join(lines) + "\n\n" + asked.note).encode()


def read(body: bytes) -> AddCheckpoint:
    """The inverse of `write`. Raises `RequestMalformed`."""
    try:
        head, separator, note = body.decode().partition("\n\n")
    except UnicodeDecodeError as error:
        raise RequestMalformed from error
    first, *lines = head.split("\n")
    old = re.fullmatch(r"old (0|[1-9][0-9]{0,18})", first)
    if not separator or old is None or len(lines) > MAX_PROOF:
        raise RequestMalformed
    return AddCheckpoint(int(old[1]), tuple(_digest(line) for line in lines), note)


def _digest(line: str) -> bytes:
    try:
        digest = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError) as error:
        raise RequestMalformed from error
    if len(digest) != 32 or base64.b64encode(digest).decode() != line:
        raise RequestMalformed
    return digest


def signed_head(note: str, *, logs: LogKeys) -> tuple[checkpoint.TreeHead, list[str]]:
    """The tree head of a checkpoint by one of the watched logs, and the lines by its known keys.

    Raises:
        RequestMalformed, LogUnknown, SignatureUnknown.
    """
    try:
        head = checkpoint.parse(note)
    except checkpoint.NoteInvalid as error:
        raise RequestMalformed from error
    if head.origin not in logs:
        raise LogUnknown
    try:
        lines = checkpoint.lines_by_known(note, name=head.origin, keys=logs[head.origin])
    except checkpoint.NoteMalformed as error:
        raise RequestMalformed from error
    except checkpoint.NoteInvalid as error:
        raise SignatureUnknown(message=error.message) from error
    return head, lines


def check(asked: AddCheckpoint, head: checkpoint.TreeHead, seen: SeenTree) -> None:
    """Whether a tree may be cosigned by a witness that has seen another.

    Raises:
        RequestMalformed: the old size is beyond the checkpoint's.
        SizeConflict: the old size is not the one that was seen.
        TreesDisagree: the tree is another one of the size that was seen.
        merkle.ConsistencyProofInvalid: the proof does not lead from one tree to the other.
    """
    if asked.old_size > head.tree_size:
        raise RequestMalformed
    if asked.old_size != seen.size:
        raise SizeConflict(seen.size)
    if head.tree_size == seen.size and head.root_hash != seen.root:
        raise TreesDisagree
    if seen.size:
        merkle.verify_consistency(seen.size, head.tree_size, seen.root, head.root_hash, asked.proof)
    elif asked.proof:
        raise merkle.ConsistencyProofInvalid
