"""Fits a LoRA to a lower rank by a truncated singular value decomposition. Pure.

The best approximation of rank k of up @ down in the Frobenius norm (Eckart and Young, 1936). The
product itself (out x in) is never built: with up = Q R and down' = P S, its singular values are
those of the small R S' (r x r).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from adapters.checks.weight_scan import Floats


@dataclass(frozen=True, slots=True)
class Fitted:
    """`down` is [k, in], `up` [out, k]; `kept` the share of the squared Frobenius norm, 0 to 1."""

    down: Floats
    up: Floats
    kept: float


class Decomposed(NamedTuple):
    """`down` [r, in] and `up` [out, r]: singular vectors times the roots of the singular `values`,
    the largest first."""

    down: Floats
    up: Floats
    values: Floats


def fit(down: Floats, up: Floats, *, rank: int) -> Fitted:
    """The best `rank` of `up @ down`; what has no higher rank stays as it is."""
    if len(down) <= rank:
        return Fitted(down, up, 1.0)
    whole = decompose(down, up)
    energy = np.square(whole.values.astype(np.float64))
    total = float(energy.sum())
    kept = float(energy[:rank].sum()) / total if total else 1.0
    return Fitted(whole.down[:rank], whole.up[:, :rank], min(kept, 1.0))


def decompose(down: Floats, up: Floats) -> Decomposed:
    """The singular value decomposition of `up @ down`."""
    q, r = np.linalg.qr(up)
    p, s = np.linalg.qr(down.T)
    left, values, right = np.linalg.svd(r @ s.T, full_matrices=False)
    roots = np.sqrt(values)
    return Decomposed(
        down=(roots[:, None] * (right @ p.T)).astype(down.dtype),
        up=((q @ left) * roots).astype(up.dtype),
        values=values,
    )
