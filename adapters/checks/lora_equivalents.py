"""Kinds of adapters that are the LoRA of another rank, to the last digit. Pure.

LoHa is (a1 b1) ∘ (a2 b2): its LoRA is the column-wise Khatri-Rao products of the a's and of the b's
(arXiv 2108.06098). LoKr is w1 ⊗ w2: with w1 = u v and w2 = p q it is (u ⊗ p)(v ⊗ q), as the mixed
product of Kronecker products says (arXiv 2309.14859). Nothing is decomposed, so nothing is lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from adapters.checks.rank_reduction import decompose
from adapters.checks.weight_scan import Floats

KINDS = ("LoHa", "LoKr")
KRONECKER = ("lokr_w1", "lokr_w2")
Shape = tuple[int, ...]
Shapes = Mapping[str, Shape]
Factors = tuple[Shape, Shape]


class Ranks(NamedTuple):
    """`equal` is that of the LoRA; `trained` divides alpha, and is 0 where alpha counts nothing."""

    equal: int
    trained: int


class NotEqual(ValueError):
    """The matrices are incomplete or do not fit each other; the text says it in a sentence."""


def ranks(kind: str, shapes: Shapes) -> Ranks:
    """Of a layer's matrices by their names ("hada_w1_a", "lokr_w2"). Raises NotEqual."""
    if any(len(_matrix(shape)) != 2 or 0 in shape for shape in shapes.values()):
        raise NotEqual(f"has a part of a {kind} that is no matrix")
    if kind == "LoHa":
        first, second = _factors(shapes, "hada_w1"), _factors(shapes, "hada_w2")
        outer = first[0][0], first[1][1]
        if outer != (second[0][0], second[1][1]):
            raise NotEqual("has two products of a LoHa that are of unequal size")
        return Ranks(min(first[0][1] * second[0][1], *outer), first[0][1])
    (u, _), (p, _) = (_halves(shapes, name) for name in KRONECKER)
    divisors = [shapes[name][0] for name in ("lokr_w2_b", "lokr_w1_b") if name in shapes]
    return Ranks(u[1] * p[1], next(iter(divisors), 0))


def products(kind: str, shapes: Shapes) -> list[tuple[int, int]]:
    """What is multiplied out or decomposed where a lower rank is asked for: the rank of each, and
    the sum of its sides."""
    names = ("hada_w1", "hada_w2") if kind == "LoHa" else KRONECKER
    pairs = [_halves(shapes, n) if n in shapes else _factors(shapes, n) for n in names]
    found = [(second[0], first[0] + second[1]) for first, second in pairs]
    if kind == "LoHa":
        found.append((ranks(kind, shapes).equal, found[0][1]))
    return found


def largest(parts: Mapping[str, Floats], *, rank: int) -> tuple[Floats, Floats, Floats]:
    """The best LoRA of `rank` of a LoKr, by its two factors alone: the singular values of a
    Kronecker product are the products of theirs. Then the sums of squares of the whole's rows."""
    (u, v), (p, q) = (_split(parts, name) for name in KRONECKER)
    first, second = decompose(v, u), decompose(q, p)
    values = np.outer(first.values, second.values)
    best = np.argsort(-values, axis=None, kind="stable")[:rank]
    i, j = np.unravel_index(best, values.shape)
    squares = [np.square(half.up) @ half.values for half in (first, second)]
    down = _each_with_its_own(first.down[i], second.down[j])
    up = _each_with_its_own(first.up.T[i], second.up.T[j]).T
    return down, up, np.kron(squares[0], squares[1])


def _each_with_its_own(first: Floats, second: Floats) -> Floats:
    """The Kronecker product of each row with the other's row of that number."""
    products: Floats = first[:, :, None] * second[:, None, :]
    return products.reshape(len(first), -1)


def pair(kind: str, parts: Mapping[str, Floats]) -> tuple[Floats, Floats]:
    """`lora_A` [r, in] and `lora_B` [out, r] of the LoRA, without its scale."""
    if kind == "LoHa":
        return _hadamard(*(parts[f"hada_{name}"] for name in ("w1_a", "w1_b", "w2_a", "w2_b")))
    (u, v), (p, q) = (_split(parts, name) for name in KRONECKER)
    return np.kron(v, q), np.kron(u, p)


def _hadamard(a1: Floats, b1: Floats, a2: Floats, b2: Floats) -> tuple[Floats, Floats]:
    """Where the product of the ranks is more than a side, the difference itself and an identity."""
    if a1.shape[1] * a2.shape[1] > min(len(a1), b1.shape[1]):
        up, down = _with_identity((a1 @ b1) * (a2 @ b2))
        return down, up
    return _rows(b1, b2), _rows(a1.T, a2.T).T


def _rows(first: Floats, second: Floats) -> Floats:
    """Each row of the one times each row of the other, number by number."""
    products: Floats = first[:, None, :] * second[None, :, :]
    return products.reshape(-1, first.shape[1])


def _matrix(shape: Shape) -> Shape:
    return shape[:2] if shape[2:] == (1, 1) else shape


def _factors(shapes: Shapes, name: str) -> Factors:
    """Shapes of both factors of a product."""
    first, second = shapes.get(f"{name}_a"), shapes.get(f"{name}_b")
    if first is None or second is None or first[1] != second[0]:
        raise NotEqual(f"has not both factors of {name}")
    return first, second


def _halves(shapes: Shapes, name: str) -> Factors:
    """As `_split` splits it, by shapes alone."""
    whole = shapes.get(name)
    if whole is not None and {f"{name}_a", f"{name}_b"} & shapes.keys():
        raise NotEqual(f"has {name} both whole and in factors")
    if whole is None:
        first, second = _factors(shapes, name)
        if first[1] < min(first[0], second[1]):
            return first, second
        whole = first[0], second[1]
    rows, columns = _matrix(whole)
    least = min(rows, columns)
    return (rows, least), (least, columns)


def _split(parts: Mapping[str, Floats], name: str) -> tuple[Floats, Floats]:
    """Two factors of a Kronecker factor, the fewest columns between them that shapes allow: its own
    ones, or itself and an identity."""
    if name in parts:
        whole = parts[name]
    else:
        first, second = parts[f"{name}_a"], parts[f"{name}_b"]
        if first.shape[1] < min(first.shape[0], second.shape[1]):
            return first, second
        whole = first @ second
    return _with_identity(whole)


def _with_identity(whole: Floats) -> tuple[Floats, Floats]:
    """Two factors of a matrix, of which one is the matrix and as few columns or rows lie between
    them as it has."""
    rows, columns = whole.shape
    one: Floats = np.eye(min(rows, columns), dtype=np.float32)
    return (whole, one) if columns <= rows else (one, whole)
