"""Do two reviewers see the same? Cohen's kappa, Krippendorff's alpha, and what their errors do to
an estimated rate (Rogan and Gladen 1978).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.inter_rater import cohens_kappa

from moderation.audits.statistics.rates import ALPHA, Array, Estimates, share

MISSING = -1
DRAWS = 1000


def kappa(table: ArrayLike) -> Estimates:
    """Cohen's kappa of a square table of counts, with its large-sample interval.

    NaN without a pair, and where everybody always said the same: then chance explains it all.
    """
    counts = np.asarray(table, dtype=np.float64)
    total = counts.sum()
    expected = (counts.sum(0) * counts.sum(1)).sum()
    nothing = np.full(1, np.nan)
    if total == 0 or expected >= total**2:
        return Estimates(nothing, nothing, nothing)
    found = cohens_kappa(counts, return_results=True)
    ends = (found.kappa, found.kappa_low, min(found.kappa_upp, 1.0))
    return Estimates(*(np.array([end], dtype=np.float64) for end in ends))


def alpha(ratings: NDArray[np.int64], *, seed: int = 0, draws: int = DRAWS) -> Estimates:
    """Krippendorff's alpha for nominal ratings [reviewers, items], MISSING where there is none.

    The interval redraws whole items. NaN where no item has two ratings or all ratings are equal.
    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    values = int(ratings.max(initial=0)) + 1
    counts = np.stack([(ratings == value).sum(0) for value in range(values)]).astype(np.float64)
    pairable = counts[:, counts.sum(0) >= 2]
    items = pairable.shape[1]
    found = _alpha(pairable, np.ones((1, items)))
    if not np.isfinite(found[0]):
        return Estimates(found, found, found)
    rng = np.random.default_rng(seed)
    drawn = rng.multinomial(items, np.full(items, 1 / items), draws)
    spread = _alpha(pairable, drawn.astype(np.float64))
    kept = spread[np.isfinite(spread)]
    low, high = np.quantile(kept, [ALPHA / 2, 1 - ALPHA / 2])
    return Estimates(found, np.array([low]), np.array([high]))


def _alpha(counts: Array, times: Array) -> Array:
    """Alpha of items [values, items] taken `times` [draws, items] each."""
    raters = counts.sum(0)
    disagreeing = (raters**2 - (counts**2).sum(0)) / np.where(raters > 1, raters - 1, 1)
    observed = times @ disagreeing
    margins = times @ counts.T
    total = margins.sum(1)
    expected = share(total**2 - (margins**2).sum(1), total - 1)
    return 1 - share(observed, np.nan_to_num(expected))


def rogan_gladen(rate: ArrayLike, *, sensitivity: float, specificity: float) -> Array:
    """The rate that would be seen by reviewers who never err; NaN where theirs tell nothing."""
    seen = np.atleast_1d(np.asarray(rate, float))
    gain = sensitivity + specificity - 1
    if not gain > 0:
        return np.full(seen.shape, np.nan)
    return np.clip((seen + specificity - 1) / gain, 0, 1)
