"""Do two reviewers see the same? Cohen's kappa, Krippendorff's alpha, and what their errors do to
an estimated rate (Rogan and Gladen 1978).

Their intervals are symmetric in log(1 - kappa), by the large-sample error of Fleiss, Cohen and
Everitt (1969, Psychological Bulletin 72, 323-327) from the table with two thirds of a pair added as
chance would have it: where everybody agreed there would be no error else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import t as student

from moderation.audits.statistics.rates import ALPHA, Array, Estimates, share

MISSING = -1
ADDED = 2 / 3
FEWEST = 10
"""Below so many items outside the commonest pair of labels there is no interval."""


def kappa(table: ArrayLike) -> Estimates:
    """Cohen's kappa of a square table of counts.

    NaN without a pair, and where everybody always said the same: then chance explains it all.
    """
    counts = np.asarray(table, dtype=np.float64)
    return _with_interval(_kappa(counts), counts)


def alpha(ratings: NDArray[np.int64]) -> Estimates:
    """Krippendorff's alpha for nominal ratings [reviewers, items], MISSING where there is none.

    NaN where no item has two ratings or all ratings are equal; an interval for two reviewers only.
    Krippendorff 2011, Computing Krippendorff's Alpha-Reliability.
    """
    values = int(ratings.max(initial=0)) + 1
    counts = np.stack([(ratings == value).sum(0) for value in range(values)]).astype(np.float64)
    found = float(_alpha(counts[:, counts.sum(0) >= 2]))
    table = np.zeros((values, values))
    if len(ratings) == 2:
        np.add.at(table, tuple(ratings[:, (ratings != MISSING).all(0)]), 0.5)
    return _with_interval(found, table + table.T)


def _alpha(counts: Array) -> Array:
    """Alpha of pairable items [values, items]."""
    raters = counts.sum(0)
    observed = ((raters**2 - (counts**2).sum(0)) / np.where(raters > 1, raters - 1, 1)).sum()
    margins = counts.sum(1)
    total = margins.sum()
    expected = share(total**2 - (margins**2).sum(), total - 1)
    return 1 - share(observed, np.nan_to_num(expected))


def _kappa(counts: Array) -> float:
    total = counts.sum()
    chance = share((counts.sum(0) * counts.sum(1)).sum(), total**2)
    return float(1 - share(1 - share(np.trace(counts), total), 1 - chance))


def kappa_error(counts: Array) -> float:
    """Large-sample standard error of Cohen's kappa."""
    p = counts / counts.sum()
    rows, columns, found = p.sum(1), p.sum(0), _kappa(counts)
    chance = float(rows @ columns)
    diagonal = np.diag(p) * (1 - (rows + columns) * (1 - found)) ** 2
    others = p * (columns[:, None] + rows[None, :]) ** 2
    spread = diagonal.sum() + (1 - found) ** 2 * (others.sum() - np.trace(others))
    spread -= (found - chance * (1 - found)) ** 2
    return float(np.sqrt(max(spread, 0) / counts.sum()) / (1 - chance))


def _with_interval(found: float, counts: Array) -> Estimates:
    """As many degrees of freedom as items outside the commonest pair, less one."""
    others = counts.sum() - counts.max(initial=0)
    ends = (np.nan, np.nan)
    if np.isfinite(found) and others >= FEWEST:
        added = counts + ADDED * np.outer(counts.sum(1), counts.sum(0)) / counts.sum() ** 2
        rest = 1 - _kappa(added)
        reach = student.ppf(1 - ALPHA / 2, others - 1) * kappa_error(added) / rest
        low, high = 1 - rest * np.exp(reach), 1 - rest * np.exp(-reach)
        ends = (min(low, found), max(high, found))
    return Estimates(*(np.array([each], dtype=np.float64) for each in (found, *ends)))


def rogan_gladen(rate: ArrayLike, *, sensitivity: float, specificity: float) -> Array:
    """The rate that would be seen by reviewers who never err; NaN where theirs tell nothing."""
    seen = np.atleast_1d(np.asarray(rate, float))
    gain = sensitivity + specificity - 1
    if not gain > 0:
        return np.full(seen.shape, np.nan)
    return np.clip((seen + specificity - 1) / gain, 0, 1)
