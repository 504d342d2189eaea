"""Recomputing the whole log from the entries' bytes; nothing stored beside them is trusted."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.conf import settings
from django.db import connection, transaction

from provenance.keys.installed_keys import keyring
from provenance.log.formats import canonical_json, checkpoint, merkle
from provenance.models import Checkpoint, LogEntry, Node, PendingEntry

ROWS = 2000


@dataclass(frozen=True, slots=True)
class Fault:
    """The first place where the log does not hold; `index` is a leaf index, or None for the log as
    a whole.
    """

    index: int | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Recomputation:
    """What a full check found: how many leaves and checkpoints hold, and the first fault."""

    leaves: int
    checkpoints: int
    waiting: int
    fault: Fault | None


def audit() -> Recomputation:
    """Check every leaf, node and checkpoint against the entries, in one consistent view."""
    is_outermost = not connection.in_atomic_block
    with transaction.atomic(), connection.cursor() as cursor:
        if is_outermost:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        checkpoints = list(Checkpoint.objects.order_by("tree_size"))
        frontier = merkle.Frontier()
        fault = _first_fault(frontier, checkpoints) or _leftover(frontier.size)
        waiting = PendingEntry.objects.count()
    return Recomputation(frontier.size, len(checkpoints), waiting, fault)


def _first_fault(frontier: merkle.Frontier, checkpoints: list[Checkpoint]) -> Fault | None:
    heads = {each.tree_size: each for each in checkpoints}
    if fault := _checkpoint_fault(heads.pop(0, None), frontier):
        return fault
    for index, entry_id, body, stored in _rows():
        if index != frontier.size:
            return Fault(frontier.size, f"Leaf {frontier.size} is missing.")
        if fault := _leaf_fault(frontier, entry_id, body, stored):
            return fault
        if fault := _checkpoint_fault(heads.pop(index + 1, None), frontier):
            return fault
    if heads:
        size = min(heads)
        return Fault(frontier.size, f"A checkpoint speaks of {size} leaves, more than there are.")
    return None


def _rows() -> Iterator[tuple[int, int, bytes, dict[merkle.Place, bytes]]]:
    """Index, entry id and body of each leaf, with the stored subtrees that end at it."""
    with connection.cursor() as cursor:
        start = 0
        while True:
            cursor.execute(
                "SELECT l.index, e.id, e.body FROM provenance_leaf l"
                " JOIN provenance_logentry e ON e.id = l.entry_id"
                " WHERE l.index >= %s ORDER BY l.index LIMIT %s",
                [start, ROWS],
            )
            rows = cursor.fetchall()
            if not rows:
                return
            end = rows[-1][0] + 1
            nodes = _nodes_ending_in(start, end)
            for index, entry_id, body in rows:
                yield index, entry_id, bytes(body), nodes.get(index, {})
            start = end


def _nodes_ending_in(start: int, end: int) -> dict[int, dict[merkle.Place, bytes]]:
    """Stored subtrees by the index of their last leaf."""
    found: dict[int, dict[merkle.Place, bytes]] = {}
    levels = range(end.bit_length())
    lowest = [((start + (1 << level)) >> level) - 1 for level in levels]
    highest = [end >> level for level in levels]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.level, n.position, n.digest FROM provenance_node n"
            " JOIN unnest(%s::int[], %s::bigint[], %s::bigint[]) AS w(level, low, high)"
            " ON n.level = w.level AND n.position >= w.low AND n.position < w.high",
            [list(levels), lowest, highest],
        )
        for level, position, digest in cursor.fetchall():
            last = ((position + 1) << level) - 1
            found.setdefault(last, {})[(level, position)] = bytes(digest)
    return found


def _leaf_fault(
    frontier: merkle.Frontier, entry_id: int, body: bytes, stored: dict[merkle.Place, bytes]
) -> Fault | None:
    index = frontier.size
    computed = dict(frontier.append(merkle.leaf_hash(body)))
    if computed != stored:
        return Fault(index, f"Entry {entry_id} at leaf {index} is not what the tree was made of.")
    try:
        canonical_json.decode(body)
    except canonical_json.NotCanonical as error:
        return Fault(index, f"Entry {entry_id} at leaf {index}: {error.message}")
    return None


def _checkpoint_fault(found: Checkpoint | None, frontier: merkle.Frontier) -> Fault | None:
    if found is None:
        return None
    place = frontier.size - 1 if frontier.size else None
    try:
        head, _ = checkpoint.verify_by_any(
            found.note,
            origin=settings.PROOFSHEET_LOG_ORIGIN,
            keys=keyring().log_verifiers(at=found.made_at),
        )
    except checkpoint.NoteInvalid as error:
        return Fault(place, f"The checkpoint of {frontier.size} leaves: {error.message}")
    stated = (head.tree_size, head.root_hash, bytes(found.root_hash))
    if stated != (frontier.size, frontier.root(), frontier.root()):
        return Fault(place, f"The checkpoint of {frontier.size} leaves signs another root.")
    return None


def _leftover(size: int) -> Fault | None:
    """What belongs to no leaf: subtrees beyond the end, entries that were dropped."""
    if not Checkpoint.objects.filter(tree_size=size).exists() and size:
        return Fault(size - 1, "The last leaves are covered by no checkpoint.")
    if Node.objects.count() != 2 * size - size.bit_count():
        return Fault(None, "The tree stores subtrees that no entry accounts for.")
    if LogEntry.objects.filter(pending=None, leaf=None).exists():
        return Fault(None, "An entry is neither in the tree nor waiting for its place.")
    return None
