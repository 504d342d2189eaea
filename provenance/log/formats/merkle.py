"""The Merkle tree of RFC 6962 (section 2.1; proofs verified as in RFC 9162, 2.1.3 and 2.1.4). Pure.

A tree is stored as the digests of its complete subtrees: `(level, position)` covers the leaves
`position * 2**level` up to `(position + 1) * 2**level`. Everything else is computed from those, so
a proof costs one look-up.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from config.core.errors import ProofsheetError

Place = tuple[int, int]
"""(level, position) of a complete subtree."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


class ProofInvalid(ProofsheetError):
    """A proof whose digests do not lead to the root that was signed."""

    default_code = "proof_invalid"
    default_message = "The proof does not lead to the signed root."
    default_advice = (
        "Ask the log for a fresh proof; if that fails too, the log has changed its history."
    )
    default_status = 422


class InclusionProofInvalid(ProofInvalid):
    """The entry is not shown to be at that index of the tree."""

    default_code = "inclusion_proof_invalid"


class ConsistencyProofInvalid(ProofInvalid):
    """The older tree is not shown to be the beginning of the newer one."""

    default_code = "consistency_proof_invalid"


class SizesOutOfOrder(ConsistencyProofInvalid):
    """There is no such proof to be had, whatever the log did."""

    default_message = "The older tree is not the smaller one."
    default_advice = "Name the smaller size first; the smallest is 1."


def leaf_hash(body: bytes) -> bytes:
    """SHA-256 of the 0x00-prefixed entry bytes."""
    return hashlib.sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """SHA-256 of the 0x01-prefixed pair of child digests."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def cover(start: int, end: int) -> list[Place]:
    """The complete subtrees, largest first, that make up the leaves from `start` (aligned as in RFC
    6962) up to `end`.
    """
    places = []
    while start < end:
        level = (end - start).bit_length() - 1
        places.append((level, start >> level))
        start += 1 << level
    return places


def fold(digests: Sequence[bytes]) -> bytes:
    """The digest over neighbouring complete subtrees, largest first."""
    if not digests:
        return EMPTY_ROOT
    digest = digests[-1]
    for left in reversed(digests[:-1]):
        digest = node_hash(left, digest)
    return digest


@dataclass(slots=True)
class Frontier:
    """The right edge of a tree: its size and the digests of `cover(0, size)`, largest subtree
    first.
    """

    size: int = 0
    digests: list[bytes] = field(default_factory=list)

    def append(self, leaf: bytes) -> Iterator[tuple[Place, bytes]]:
        """Add a leaf hash; yield every subtree that it completes, with its digest."""
        position, level = self.size, 0
        self.size += 1
        yield (0, position), leaf
        while position & 1:
            leaf = node_hash(self.digests.pop(), leaf)
            position, level = position >> 1, level + 1
            yield (level, position), leaf
        self.digests.append(leaf)

    def root(self) -> bytes:
        return fold(self.digests)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges whose digests are the audit path of leaf `index`, from the leaf upwards (RFC
    6962, 2.1.1).
    """
    if not 0 <= index < size:
        raise InclusionProofInvalid(message=f"A tree of {size} leaves has no leaf {index}.")
    ranges, start, end = [], 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old_size: int, size: int) -> list[tuple[int, int]]:
    """Leaf ranges whose digests prove that `old_size` leaves were kept (RFC 6962, 2.1.2)."""
    if not 0 < old_size <= size:
        raise SizesOutOfOrder(message=f"Tree size {old_size} is not between 1 and {size}.")
    ranges, start, end, is_old_root = [], 0, size, True
    while old_size != end:
        middle = start + _split(end - start)
        if old_size <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start, is_old_root = middle, False
    if not is_old_root:
        ranges.append((start, end))
    return ranges[::-1]


def places_of(ranges: Sequence[tuple[int, int]]) -> list[Place]:
    """Every stored subtree that a proof over these ranges reads."""
    return [place for start, end in ranges for place in cover(start, end)]


def proof_from(ranges: Sequence[tuple[int, int]], digests: Mapping[Place, bytes]) -> list[bytes]:
    """One digest for each range, folded from the stored subtrees."""
    return [fold([digests[place] for place in cover(start, end)]) for start, end in ranges]


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2). Raises `InclusionProofInvalid` on a
    path of the wrong length.
    """
    if not 0 <= index < size:
        raise InclusionProofInvalid
    position, last, digest = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise InclusionProofInvalid
        if position & 1 or position == last:
            digest = node_hash(sibling, digest)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise InclusionProofInvalid
    return digest


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Raises `InclusionProofInvalid` unless `leaf` is leaf `index` of the tree of `size` leaves
    with this root.
    """
    if root_from_inclusion(leaf, index, size, proof) != root:
        raise InclusionProofInvalid


def verify_consistency(
    old_size: int, size: int, old_root: bytes, root: bytes, proof: Sequence[bytes]
) -> None:
    """Raises `ConsistencyProofInvalid` unless the tree of `old_size` leaves is a prefix of the one
    of `size` (RFC 9162, 2.1.4.2).
    """
    if not 0 < old_size <= size:
        raise ConsistencyProofInvalid
    if old_size == size:
        if proof or old_root != root:
            raise ConsistencyProofInvalid
        return
    path = list(proof)
    if old_size & (old_size - 1) == 0:
        path.insert(0, old_root)
    if not path:
        raise ConsistencyProofInvalid
    if _consistency_roots(old_size, size, path) != (old_root, root):
        raise ConsistencyProofInvalid


def _consistency_roots(old_size: int, size: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    position, last = old_size - 1, size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old_digest = digest = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ConsistencyProofInvalid
        if position & 1 or position == last:
            old_digest, digest = node_hash(sibling, old_digest), node_hash(sibling, digest)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            digest = node_hash(digest, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ConsistencyProofInvalid
    return old_digest, digest
