"""Rates with Wilson intervals, and how two of them differ: Newcombe's interval for the difference,
the adjusted log interval for the ratio.

All take arrays, one element a cell, and answer NaN where a cell has nothing to say; no warning is
raised on the way. Wilson 1927; Newcombe 1998 (Statistics in Medicine 17, 873-890, method 10);
Walter 1975 for the half added to each count of a ratio. The arithmetic is statsmodels'.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

Array = NDArray[np.float64]
ALPHA = 0.05


@dataclass(frozen=True, slots=True)
class Estimates:
    """One value a cell with the ends of its 95 % interval; NaN where there is none."""

    value: Array
    low: Array
    high: Array

    def __getitem__(self, index: int) -> tuple[float, float, float]:
        return float(self.value[index]), float(self.low[index]), float(self.high[index])


def share(part: ArrayLike, whole: ArrayLike) -> Array:
    """part / whole, NaN where the whole is nothing."""
    parts, wholes = np.broadcast_arrays(np.asarray(part, float), np.asarray(whole, float))
    out = np.full(parts.shape, np.nan)
    np.divide(parts, wholes, out=out, where=wholes > 0)
    return out


def wilson(hits: ArrayLike, trials: ArrayLike, *, alpha: float = ALPHA) -> Estimates:
    """Share of hits with its Wilson interval. Trials may be an effective number, so no integer."""
    count, n = np.broadcast_arrays(np.asarray(hits, float), np.asarray(trials, float))
    is_there = n > 0
    low, high = proportion_confint(
        np.where(is_there, count, 0), np.where(is_there, n, 1), alpha=alpha, method="wilson"
    )
    return Estimates(
        share(count, n), np.where(is_there, low, np.nan), np.where(is_there, high, np.nan)
    )


def difference(
    hits: ArrayLike, trials: ArrayLike, hits_0: ArrayLike, trials_0: ArrayLike
) -> Estimates:
    """Rate minus the reference's rate, by Newcombe's hybrid of the two Wilson intervals."""
    return apart(wilson(hits, trials), wilson(hits_0, trials_0))


def apart(one: Estimates, reference: Estimates) -> Estimates:
    """Newcombe's interval from any two intervals, such as Wilson's on effective numbers."""
    value = one.value - reference.value
    low = value - np.hypot(one.value - one.low, reference.high - reference.value)
    high = value + np.hypot(one.high - one.value, reference.value - reference.low)
    return Estimates(value, low, high)


def ratio(hits: ArrayLike, trials: ArrayLike, hits_0: ArrayLike, trials_0: ArrayLike) -> Estimates:
    """Rate over the reference's rate; a half is added to each count, so that none may be nought."""
    arrays = [np.asarray(each, float) for each in (hits, trials, hits_0, trials_0)]
    a, n, b, m = np.broadcast_arrays(*arrays)
    is_there = (n > 0) & (m > 0) & (a + b > 0)
    a, n, b, m = (np.where(is_there, x, y) for x, y in ((a, 1.0), (n, 2.0), (b, 1.0), (m, 2.0)))
    low, high = confint_proportions_2indep(
        a, n, b, m, compare="ratio", method="log-adjusted", alpha=ALPHA
    )
    value = ((a + 0.5) / (n + 0.5)) / ((b + 0.5) / (m + 0.5))
    return Estimates(*(np.where(is_there, each, np.nan) for each in (value, low, high)))
