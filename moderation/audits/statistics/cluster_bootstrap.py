"""Cluster bootstrap: whole prompts or users are drawn again, never single images.

Seeds of one prompt are no independent observations. Percentile intervals; below TOO_FEW clusters
there is none (Field and Welsh 2007).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics.rates import ALPHA, Array, Estimates, share

TOO_FEW = 10
DRAWS = 1000
_CHUNK_CELLS = 4_000_000


@dataclass(frozen=True, slots=True)
class Replicates:
    """`rate` by group, and the same rate in each bootstrap draw, [draws, groups]."""

    rate: Array
    drawn: Array
    clusters: Array

    def interval(self) -> Estimates:
        return _percentiles(self.rate, self.drawn, self.clusters >= TOO_FEW)

    def differences(self, reference: int) -> Estimates:
        """Each group's rate minus that of the group `reference`."""
        drawn = self.drawn - self.drawn[:, [reference]]
        enough = (self.clusters >= TOO_FEW) & (self.clusters[reference] >= TOO_FEW)
        return _percentiles(self.rate - self.rate[reference], drawn, enough)


def bootstrap(
    *,
    is_hit: NDArray[np.bool_],
    weight: Array,
    group: NDArray[np.intp],
    groups: int,
    cluster: NDArray[np.intp],
    seed: int,
    draws: int = DRAWS,
) -> Replicates:
    """Draw the clusters anew `draws` times; the same seed gives the same answer."""
    _, place = np.unique(cluster, return_inverse=True)
    count = int(place.max()) + 1 if len(place) else 0
    cell = group * max(count, 1) + place
    hits = np.bincount(cell, weight * is_hit, minlength=groups * count).reshape(groups, count)
    held = np.bincount(cell, weight, minlength=groups * count).reshape(groups, count)
    drawn = np.full((draws, groups), np.nan)
    rng = np.random.default_rng(seed)
    step = max(1, _CHUNK_CELLS // max(count, 1))
    for start in range(0, draws if count else 0, step):
        size = min(step, draws - start)
        times = _times(rng, size, count)
        drawn[start : start + size] = share(times @ hits.T, times @ held.T)
    return Replicates(share(hits.sum(1), held.sum(1)), drawn, (held > 0).sum(1).astype(np.float64))


def _times(rng: np.random.Generator, draws: int, count: int) -> Array:
    """How often each cluster is drawn, [draws, clusters]."""
    picked = rng.integers(0, count, size=(draws, count))
    picked += np.arange(draws)[:, None] * count
    return np.bincount(picked.ravel(), minlength=draws * count).reshape(draws, count).astype(float)


def _percentiles(rate: Array, drawn: Array, is_enough: NDArray[np.bool_]) -> Estimates:
    low, high = np.full(rate.shape, np.nan), np.full(rate.shape, np.nan)
    for index in np.flatnonzero(is_enough):
        kept = drawn[:, index][np.isfinite(drawn[:, index])]
        if kept.size:
            low[index], high[index] = np.quantile(kept, [ALPHA / 2, 1 - ALPHA / 2])
    return Estimates(rate, low, high)
