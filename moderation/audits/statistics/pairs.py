"""Counterfactual pairs: the same prompt and seed with another person in it.

Exact McNemar test on the discordant pairs, and Newcombe's interval for the paired difference
(Newcombe 1998, Statistics in Medicine 17, 2635-2650, method 10: Wilson intervals of the two rates,
joined by their correlation with its continuity correction).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from moderation.audits.statistics.rates import Array, Estimates, share, wilson


@dataclass(frozen=True, slots=True)
class Pairs:
    """Counts of pairs, one element a contrast: both flagged, only one of them, neither."""

    both: Array
    only_one: Array
    only_reference: Array
    neither: Array

    @property
    def total(self) -> Array:
        return self.both + self.only_one + self.only_reference + self.neither

    @property
    def discordant(self) -> Array:
        return self.only_one + self.only_reference


def count_pairs(one: NDArray[np.bool_], reference: NDArray[np.bool_]) -> Pairs:
    """Pairs of one contrast; the arrays have one element a pair."""
    cells = np.bincount(one * 2 + reference, minlength=4).astype(np.float64)
    neither, only_reference, only_one, both = (cells[i : i + 1] for i in range(4))
    return Pairs(both, only_one, only_reference, neither)


def mcnemar_exact(pairs: Pairs) -> Array:
    """Two-sided exact p; 1 where no pair is discordant, NaN where there is no pair."""
    fewer = np.minimum(pairs.only_one, pairs.only_reference)
    p = np.minimum(1.0, 2 * binom.cdf(fewer, pairs.discordant, 0.5))
    p = np.where(pairs.discordant > 0, p, 1.0)
    return np.where(pairs.total > 0, p, np.nan)


def sign_flip(
    difference: Array, cluster: NDArray[np.intp], *, seed: int, draws: int = 9999
) -> float:
    """Two-sided p when whole prompts, not single pairs, could have fallen either way.

    All sign patterns up to 13 discordant prompts, `draws` random ones above. NaN without a pair.
    """
    if not len(difference):
        return float("nan")
    sums = np.bincount(cluster, difference)
    sums = sums[sums != 0]
    if not len(sums):
        return 1.0
    if len(sums) <= 13:
        patterns = np.arange(2 ** len(sums))[:, None] >> np.arange(len(sums)) & 1
        totals = np.abs((patterns * 2 - 1) @ sums)
        return float(np.mean(totals >= abs(sums.sum()) - 1e-9))
    signs = np.random.default_rng(seed).integers(0, 2, (draws, len(sums))) * 2 - 1
    extreme = np.count_nonzero(np.abs(signs @ sums) >= abs(sums.sum()) - 1e-9)
    return (extreme + 1) / (draws + 1)


def by_cluster(difference: Array, cluster: NDArray[np.intp]) -> float:
    """How many independent pairs the pairs are worth; with no discordant one, a prompt is one."""
    n = float(len(difference))
    clusters = np.unique(cluster)
    if n == 0 or not difference.any():
        return float(len(clusters))
    residual = difference - difference.mean()
    alone = float((residual**2).sum())
    sums = np.bincount(cluster, residual)
    together = float((sums**2).sum()) * len(clusters) / max(len(clusters) - 1, 1)
    return n / max(together / alone, 1.0) if alone > 0 else float(len(clusters))


def scaled(pairs: Pairs, total: float) -> Pairs:
    """The same shares in `total` pairs."""
    factor = np.where(pairs.total > 0, total / np.where(pairs.total > 0, pairs.total, 1), 0)
    return Pairs(
        pairs.both * factor,
        pairs.only_one * factor,
        pairs.only_reference * factor,
        pairs.neither * factor,
    )


def paired_difference(pairs: Pairs) -> Estimates:
    """Rate minus the reference's rate among pairs."""
    n = pairs.total
    one = wilson(pairs.both + pairs.only_one, n)
    reference = wilson(pairs.both + pairs.only_reference, n)
    phi = _correlation(pairs)
    value = share(pairs.only_one - pairs.only_reference, n)
    below, above = one.value - one.low, one.high - one.value
    below_0, above_0 = reference.value - reference.low, reference.high - reference.value
    low = value - _joined(below, above_0, phi)
    high = value + _joined(above, below_0, phi)
    return Estimates(value, low, high)


def _joined(one: Array, other: Array, phi: Array) -> Array:
    return np.sqrt(np.maximum(one**2 - 2 * phi * one * other + other**2, 0))


def _correlation(pairs: Pairs) -> Array:
    a, b, c, d = pairs.both, pairs.only_one, pairs.only_reference, pairs.neither
    product = a * d - b * c
    corrected = np.where(product > 0, np.maximum(product - pairs.total / 2, 0), product)
    scale = np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
    return np.where(scale > 0, corrected / np.where(scale > 0, scale, 1), 0)
