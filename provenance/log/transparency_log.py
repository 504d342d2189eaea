"""The transparency log: entries through an outbox, one sequencer, a Merkle tree, signed
checkpoints.

`append` writes the entry in the caller's transaction. `sequence` gives waiting entries their leaf
index; an advisory lock makes
it safe to run it anywhere and any number of times.
"""

import hmac
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from config.core.errors import ProofsheetError
from provenance.keys.installed_keys import keyring
from provenance.log import own_keys, rollback
from provenance.log.formats import canonical_json, checkpoint, merkle
from provenance.models import Checkpoint, Leaf, LogEntry

ASSET_MARKED = "asset.marked"
BATCH = 5000
MAX_BODY_BYTES = 65_535
"""Bundles of entries (C2SP tlog-tiles) give each one's length in 16 bits."""
_LOCK = 0x70726F6F66  # "proof": the sequencer's advisory lock


class NotInLog(ProofsheetError):
    """No entry has that index, no tree that size, or the entry still waits for its place."""

    default_code = "not_in_log"
    default_message = "The log holds no such entry."
    default_advice = "Check the number; a new entry gets its place within a few seconds."
    default_status = 404


@dataclass(frozen=True, slots=True)
class InclusionProof:
    """An entry's place in a signed tree: `path` leads from the leaf hash to the root of the
    checkpoint.
    """

    index: int
    tree_size: int
    body: bytes
    path: tuple[bytes, ...]
    note: str


def append(*, kind: str, subject: UUID, body: Mapping[str, Any], at: datetime) -> LogEntry:
    """Add an entry to the outbox in the caller's transaction. `body` holds digests, commitments and
    types only.

    Raises:
        canonical.NotCanonical: the body cannot be written as canonical bytes.
        KeysForeign, KeysMissing: the log was signed by keys that are not here.
    """
    own_keys.require()
    record = {"v": 1, "kind": kind, "subject": str(subject), "at": _utc(at), "body": dict(body)}
    encoded = canonical_json.encode(record)
    if len(encoded) > MAX_BODY_BYTES:
        raise canonical_json.NotCanonical(
            message="The entry is longer than a bundle of entries allows."
        )
    with connection.cursor() as cursor:
        cursor.execute("SELECT provenance_append(%s, %s, %s, %s)", [kind, subject, encoded, at])
        (entry_id,) = cursor.fetchone()
    return LogEntry(id=entry_id, kind=kind, subject=subject, body=encoded, at=at)


def bodies_of(kind: str) -> Iterator[Mapping[str, Any]]:
    """What the entries of that kind say, the latest first."""
    found = LogEntry.objects.filter(kind=kind).order_by("-id").values_list("body", flat=True)
    for encoded in found.iterator():
        yield canonical_json.decode(bytes(encoded))["body"]


def commitment(salt: bytes, value: str | bytes) -> str:
    """A salted commitment, hexadecimal: it says nothing once the salt is erased."""
    data = value.encode() if isinstance(value, str) else value
    return hmac.digest(salt, data, sha256).hex()


def sequence(*, at: datetime) -> int:
    """Give every waiting entry its leaf index and sign the new root; returns how many were added.

    Two at once: the second returns 0. The empty tree gets a checkpoint too. Raises as
    `own_keys.require`, and `LogBehind`.
    """
    total = 0
    while added := _sequence_batch(at=at):
        total += added
        if added < BATCH:
            break
    return total


def _sequence_batch(*, at: datetime) -> int:
    with transaction.atomic():
        if not _lock_sequencer():
            return 0
        rollback.require_whole()
        waiting = _waiting()
        last = Checkpoint.objects.order_by("-tree_size").first()
        if last is not None:
            own_keys.require_signer_of(last)
        if waiting or last is None:
            frontier = _frontier(last.tree_size if last else 0)
            _integrate(frontier, waiting)
            _sign(frontier.size, frontier.root(), at=at)
        return len(waiting)


def _waiting() -> list[tuple[int, bytes]]:
    """Id and body of the entries next in line; they leave the outbox with this transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH taken AS (DELETE FROM provenance_pendingentry WHERE entry_id IN ("
            " SELECT entry_id FROM provenance_pendingentry ORDER BY entry_id LIMIT %s)"
            " RETURNING entry_id)"
            " SELECT e.id, e.body FROM taken JOIN provenance_logentry e ON e.id = taken.entry_id"
            " ORDER BY e.id",
            [BATCH],
        )
        return [(int(entry_id), bytes(body)) for entry_id, body in cursor.fetchall()]


def _lock_sequencer() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


def _frontier(size: int) -> merkle.Frontier:
    places = merkle.cover(0, size)
    digests = nodes(places)
    return merkle.Frontier(size, [digests[place] for place in places])


def _integrate(frontier: merkle.Frontier, entries: Sequence[tuple[int, bytes]]) -> None:
    """Store leaves and subtrees in two COPYs: a row at a time would be most of the work."""
    start = frontier.size
    leaves = [(start + offset, entry_id) for offset, (entry_id, _) in enumerate(entries)]
    subtrees = [
        (level, position, digest)
        for _, body in entries
        for (level, position), digest in frontier.append(merkle.leaf_hash(body))
    ]
    _copy('provenance_leaf ("index", entry_id)', ("int8", "int8"), leaves)
    _copy("provenance_node (level, position, digest)", ("int2", "int8", "bytea"), subtrees)


def _copy(target: str, types: Sequence[str], rows: Iterable[tuple[Any, ...]]) -> None:
    with connection.cursor() as cursor:
        copying = cursor.copy(f"COPY {target} FROM STDIN (FORMAT BINARY)")
        with copying as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)


def _sign(size: int, root: bytes, *, at: datetime) -> None:
    head = checkpoint.TreeHead(settings.PROOFSHEET_LOG_ORIGIN, size, root)
    newest, *older = keyring().log_signers(at=at)
    note = checkpoint.sign(head, key=newest)
    for key in older:
        note = checkpoint.also_sign(note, name=head.origin, key=key)
    Checkpoint.objects.create(tree_size=size, root_hash=root, note=note, made_at=at)


def nodes(places: Iterable[merkle.Place]) -> dict[merkle.Place, bytes]:
    """The stored digests of these subtrees, in one query. Raises `NotInLog` when one is missing."""
    wanted = sorted(set(places))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.level, n.position, n.digest FROM provenance_node n"
            " JOIN unnest(%s::int[], %s::bigint[]) AS w(level, position)"
            " ON n.level = w.level AND n.position = w.position",
            [[level for level, _ in wanted], [position for _, position in wanted]],
        )
        found = {(level, position): bytes(digest) for level, position, digest in cursor.fetchall()}
    if len(found) != len(wanted):
        raise NotInLog(message="The log is missing a part of its tree.")
    return found


def latest_checkpoint() -> Checkpoint:
    """The checkpoint of the largest tree. Raises `NotInLog` before the first."""
    found = Checkpoint.objects.order_by("-tree_size").first()
    if found is None:
        raise NotInLog(message="The log has no checkpoint yet.")
    return found


def prove_inclusion(index: int, *, head: Checkpoint | None = None) -> InclusionProof:
    """The entry at a leaf index with its audit path to a checkpoint, the latest if none is given.
    Raises `NotInLog`.
    """
    head = head or latest_checkpoint()
    leaf = Leaf.objects.select_related("entry").filter(index=index).first()
    if leaf is None or index >= head.tree_size:
        raise NotInLog
    ranges = merkle.inclusion_ranges(index, head.tree_size)
    path = merkle.proof_from(ranges, nodes(merkle.places_of(ranges)))
    return InclusionProof(index, head.tree_size, bytes(leaf.entry.body), tuple(path), head.note)


def prove_consistency(old_size: int, size: int) -> list[bytes]:
    """Digests proving that the tree of `old_size` leaves is a prefix of the one of `size`.

    Raises:
        merkle.ConsistencyProofInvalid: the sizes are out of order.
        NotInLog: the log has no tree of that size yet.
    """
    if size > latest_checkpoint().tree_size:
        raise NotInLog(message=f"The log has no tree of {size} leaves yet.")
    ranges = merkle.consistency_ranges(old_size, size)
    return merkle.proof_from(ranges, nodes(merkle.places_of(ranges)))


def verify_proof(proof: InclusionProof) -> checkpoint.TreeHead:
    """The signed tree head that the proof leads to. Raises `checkpoint.NoteInvalid` or
    `merkle.InclusionProofInvalid`.
    """
    origin, keys = settings.PROOFSHEET_LOG_ORIGIN, keyring().log_verifiers()
    head, _ = checkpoint.verify_by_any(proof.note, origin=origin, keys=keys)
    leaf = merkle.leaf_hash(proof.body)
    merkle.verify_inclusion(leaf, proof.index, head.tree_size, proof.path, head.root_hash)
    return head


def _utc(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
