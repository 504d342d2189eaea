"""Rates from a sample drawn with known, unequal probabilities.

Horvitz and Thompson 1952 for totals, Hajek 1971 for rates: each labelled item stands for 1 /
probability of its like. The variance is Taylor's, with items of one cluster taken together; the
interval is Wilson's on the effective number of items that this variance amounts to (Kish 1965; Korn
and Graubard 1998), so that it keeps inside [0, 1] and says something about nought too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import t as student

from moderation.audits.statistics.rates import ALPHA, Array, Estimates, share, wilson

Index = NDArray[np.intp]
ROUNDING = 1e-12
"""What residuals that cancel out leave of the spread; no sample is large enough for so little."""


@dataclass(frozen=True, slots=True)
class Weighted:
    """Rates by group, with the items they rest on, their estimated total, their effective number
    and the standard error of each rate."""

    rate: Estimates
    items: Array
    total: Array
    effective: Array
    error: Array


def inverse(probability: Array) -> Array:
    """Weights: 1 / probability, and nought for what could not have been drawn."""
    out = np.zeros(probability.shape)
    np.divide(1.0, probability, out=out, where=probability > 0)
    return out


def hajek(
    *,
    is_hit: NDArray[np.bool_],
    is_counted: NDArray[np.bool_],
    weight: Array,
    group: Index,
    groups: int,
    cluster: Index | None = None,
) -> Weighted:
    """Weighted share of hits among the counted items of each group.

    `cluster` indexes prompts or users whose items are not independent; without it each item is one.
    """
    counts = is_counted & (weight > 0)
    held = np.where(counts, weight, 0.0)
    items = np.bincount(group, counts, minlength=groups).astype(np.float64)
    total = np.bincount(group, held, minlength=groups).astype(np.float64)
    rate = share(np.bincount(group, held * is_hit, minlength=groups), total)
    residual = held * (is_hit - np.nan_to_num(rate)[group])
    variance = share(_squares(residual, group, groups, cluster), total**2)
    squared = np.bincount(group, held**2, minlength=groups)
    kish = share(total**2, squared)
    spread = rate * (1 - rate)
    informative = variance > spread * ROUNDING
    by_variance = share(spread, np.where(informative, variance, np.nan))
    if cluster is not None:  # all alike: then a prompt is worth one item, however many it has
        kish = np.fmin(kish, _clusters(group[counts], cluster[counts], groups))
    effective = np.where(informative, by_variance, kish)
    is_rare = is_hit if np.nansum(held * is_hit) * 2 <= held.sum() else ~is_hit
    effective = np.where(items > 0, effective * _certainty(held * is_rare, group, groups), 0.0)
    return Weighted(
        rate=wilson(np.nan_to_num(rate) * effective, effective),
        items=items,
        total=total,
        effective=effective,
        error=np.sqrt(variance),
    )


def _certainty(weight: Array, group: Index, groups: int) -> Array:
    """What the variance's own uncertainty takes from the effective number: (z / t)^2, with
    Satterthwaite's degrees of freedom of the rarer outcome's weights. 1 where these are equal.
    """
    count = np.bincount(group, weight > 0, minlength=groups)
    squares = np.bincount(group, weight**2, minlength=groups)
    freedom = share(squares**2, np.bincount(group, weight**4, minlength=groups))
    varied = np.nan_to_num(freedom) < count * (1 - 1e-9)
    t = student.ppf(1 - ALPHA / 2, np.where(varied, np.fmax(freedom - 1, 1), np.inf))
    return np.asarray((student.ppf(1 - ALPHA / 2, np.inf) / t) ** 2, dtype=np.float64)


def _clusters(group: Index, cluster: Index, groups: int) -> Array:
    """How many clusters each group has."""
    if not len(group):
        return np.zeros(groups)
    clusters = int(cluster.max()) + 1
    cells = np.unique(group * clusters + cluster)
    return np.bincount(cells // clusters, minlength=groups).astype(np.float64)


def _squares(residual: Array, group: Index, groups: int, cluster: Index | None) -> Array:
    """Sum of squared residuals by group, those of one cluster added before they are squared."""
    if cluster is None or not len(cluster):
        return np.bincount(group, residual**2, minlength=groups).astype(np.float64)
    clusters = int(cluster.max()) + 1
    cell, place = np.unique(group * clusters + cluster, return_inverse=True)
    sums = np.bincount(place, residual)
    counts = np.bincount(cell // clusters, minlength=groups)
    correction = share(counts, counts - 1)
    squares = np.bincount(cell // clusters, sums**2, minlength=groups).astype(np.float64)
    return squares * np.nan_to_num(correction, nan=1.0)
