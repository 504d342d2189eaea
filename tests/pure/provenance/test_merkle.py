"""RFC 6962's own vectors, and a slow reference written straight from its text."""

import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provenance.log.formats import merkle
from tests.merkle_roots import root_of

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
SIZES = st.integers(1, 70)


def naive_root(bodies: list[bytes]) -> bytes:
    """MTH of RFC 6962, section 2.1, by its recursion."""
    if not bodies:
        return hashlib.sha256(b"").digest()
    if len(bodies) == 1:
        return hashlib.sha256(b"\0" + bodies[0]).digest()
    split = 1
    while split * 2 < len(bodies):
        split *= 2
    left, right = naive_root(bodies[:split]), naive_root(bodies[split:])
    return hashlib.sha256(b"\1" + left + right).digest()


def bodies_of(size: int) -> list[bytes]:
    return [f"entry {index}".encode() for index in range(size)]


def tree_of(size: int) -> dict[merkle.Place, bytes]:
    frontier = merkle.Frontier()
    return {
        place: digest
        for body in bodies_of(size)
        for place, digest in frontier.append(merkle.leaf_hash(body))
    }


def inclusion(index: int, size: int) -> list[bytes]:
    return merkle.proof_from(merkle.inclusion_ranges(index, size), tree_of(size))


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_published(size: int) -> None:
    leaves = [merkle.leaf_hash(leaf) for leaf in LEAVES[:size]]
    assert root_of(leaves).hex() == ROOTS[size - 1]


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert root_of([]) == hashlib.sha256(b"").digest()


@given(SIZES)
def test_roots_equal_the_reference(size: int) -> None:
    bodies = bodies_of(size)
    assert root_of([merkle.leaf_hash(body) for body in bodies]) == naive_root(bodies)


@given(SIZES, st.data())
def test_inclusion_proof_verifies_and_no_other_leaf_does(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    bodies, proof = bodies_of(size), inclusion(index, size)
    root, leaf = naive_root(bodies), merkle.leaf_hash(bodies[index])
    merkle.verify_inclusion(leaf, index, size, proof, root)
    for wrong in (index - 1, index + 1):
        with pytest.raises(merkle.InclusionProofInvalid):
            merkle.verify_inclusion(merkle.leaf_hash(b"other"), index, size, proof, root)
        if size > 1:
            with pytest.raises(merkle.InclusionProofInvalid):
                merkle.verify_inclusion(leaf, wrong, size, proof, root)


@given(SIZES, st.data())
def test_tampered_inclusion_proof_is_refused(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, leaf = inclusion(index, size), merkle.leaf_hash(bodies_of(size)[index])
    root = naive_root(bodies_of(size))
    broken = [[*proof, leaf], proof[:-1]] if proof else [[leaf]]
    broken += [[*proof[:at], bytes(32), *proof[at + 1 :]] for at in range(len(proof))]
    for path in broken:
        with pytest.raises(merkle.InclusionProofInvalid):
            merkle.verify_inclusion(leaf, index, size, path, root)


@pytest.mark.parametrize(("old_size", "size"), [(0, 1), (5, 3)])
def test_sizes_out_of_order_accuse_no_log(old_size: int, size: int) -> None:
    with pytest.raises(merkle.ConsistencyProofInvalid) as told:
        merkle.consistency_ranges(old_size, size)
    assert "history" not in told.value.advice
    assert "smaller size first" in told.value.advice


@given(SIZES, st.data())
def test_consistency_proof_verifies_and_another_history_does_not(
    size: int, data: st.DataObject
) -> None:
    old_size = data.draw(st.integers(1, size))
    old_root, root = naive_root(bodies_of(old_size)), naive_root(bodies_of(size))
    proof = merkle.proof_from(merkle.consistency_ranges(old_size, size), tree_of(size))
    merkle.verify_consistency(old_size, size, old_root, root, proof)
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.verify_consistency(old_size, size, bytes(32), root, proof)
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.verify_consistency(old_size, size, old_root, bytes(32), proof)


def test_consistency_of_the_published_trees() -> None:
    for old, new in pairwise(range(1, 9)):
        leaves = [merkle.leaf_hash(leaf) for leaf in LEAVES[:new]]
        frontier = merkle.Frontier()
        stored: dict[merkle.Place, bytes] = {}
        for leaf in leaves:
            stored.update(frontier.append(leaf))
        proof = merkle.proof_from(merkle.consistency_ranges(old, new), stored)
        roots = bytes.fromhex(ROOTS[old - 1]), bytes.fromhex(ROOTS[new - 1])
        merkle.verify_consistency(old, new, *roots, proof)


@pytest.mark.parametrize("index", [-1, 1, 5])
def test_inclusion_of_a_place_outside_the_tree_is_refused_though_the_root_fits(index: int) -> None:
    leaf = merkle.leaf_hash(b"entry")
    merkle.verify_inclusion(leaf, 0, 1, [], leaf)
    with pytest.raises(merkle.InclusionProofInvalid):
        merkle.verify_inclusion(leaf, index, 1, [], leaf)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_consistency_of_a_tree_with_itself_needs_the_same_root_and_no_proof(size: int) -> None:
    root = naive_root(bodies_of(size))
    merkle.verify_consistency(size, size, root, root, [])
    for other, proof in ((bytes(32), []), (root, [root])):
        with pytest.raises(merkle.ConsistencyProofInvalid):
            merkle.verify_consistency(size, size, root, other, proof)


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3), (-1, 2)])
def test_verify_refuses_sizes_out_of_order(old: int, size: int) -> None:
    root = naive_root(bodies_of(3))
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.verify_consistency(old, size, root, root, [root])


@pytest.mark.parametrize("size", [3, 6, 7])
def test_consistency_without_its_proof_is_refused(size: int) -> None:
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.verify_consistency(3, size + 1, bytes(32), bytes(32), [])


@given(SIZES, st.data())
def test_tampered_consistency_proof_is_refused(size: int, data: st.DataObject) -> None:
    old_size = data.draw(st.integers(1, size))
    old_root, root = naive_root(bodies_of(old_size)), naive_root(bodies_of(size))
    proof = merkle.proof_from(merkle.consistency_ranges(old_size, size), tree_of(size))
    broken = [[*proof, root], *([proof[:-1]] if proof else [])]
    broken += [[*proof[:at], bytes(32), *proof[at + 1 :]] for at in range(len(proof))]
    for path in broken:
        with pytest.raises(merkle.ConsistencyProofInvalid):
            merkle.verify_consistency(old_size, size, old_root, root, path)


def test_consistency_proof_that_goes_on_above_the_root_is_refused() -> None:
    """Whoever chooses the roots, too, could have them made of a tree's own and one digest more."""
    old_root, root = (naive_root(bodies_of(size)) for size in (3, 7))
    proof = merkle.proof_from(merkle.consistency_ranges(3, 7), tree_of(7))
    more = bytes(32)
    above = (merkle.node_hash(more, old_root), merkle.node_hash(more, root))
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.verify_consistency(3, 7, *above, [*proof, more])


@pytest.mark.parametrize(("index", "size"), [(-1, 3), (3, 3), (0, 0)])
def test_inclusion_refuses_a_leaf_outside_the_tree(index: int, size: int) -> None:
    with pytest.raises(merkle.InclusionProofInvalid):
        merkle.inclusion_ranges(index, size)
    with pytest.raises(merkle.InclusionProofInvalid):
        merkle.root_from_inclusion(bytes(32), index, size, [])


@pytest.mark.parametrize(("old", "size"), [(0, 3), (4, 3), (-1, 2)])
def test_consistency_refuses_sizes_out_of_order(old: int, size: int) -> None:
    with pytest.raises(merkle.ConsistencyProofInvalid):
        merkle.consistency_ranges(old, size)
