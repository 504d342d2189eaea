"""Many comparisons at once: Holm for the primary contrasts, Benjamini-Hochberg for exploration,
and equivalence by a margin that was set beforehand.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.multitest import multipletests

from moderation.audits.statistics.rates import ALPHA, Array, Estimates

Standing = Literal["disparity", "equivalent", "undecided", "insufficient"]


@dataclass(frozen=True, slots=True)
class ComparisonFamily:
    """Adjusted p values (NaN where there was no test) and how many tests were adjusted for."""

    adjusted: Array
    size: int


def holm(p: ArrayLike) -> ComparisonFamily:
    """Holm's step-down p values, which bound the chance of any false disparity."""
    return _adjusted(p, "holm")


def benjamini_hochberg(p: ArrayLike) -> ComparisonFamily:
    """Benjamini and Hochberg's p values, which bound the share of false disparities."""
    return _adjusted(p, "fdr_bh")


def _adjusted(p: ArrayLike, method: str) -> ComparisonFamily:
    values = np.atleast_1d(np.asarray(p, float))
    tested = np.isfinite(values)
    adjusted = np.full(values.shape, np.nan)
    if tested.any():
        adjusted[tested] = multipletests(values[tested], alpha=ALPHA, method=method)[1]
    return ComparisonFamily(adjusted, int(tested.sum()))


def standings(
    contrast: Estimates,
    adjusted: Array,
    *,
    margin: float,
    is_enough: NDArray[np.bool_],
    has_errors: NDArray[np.bool_] | None = None,
) -> list[Standing]:
    """What may be said of each contrast.

    A disparity needs an adjusted p below 0.05, an interval without nought and, where `has_errors`
    is given, errors enough; "equivalent" needs an interval inside the margin, which no lack of
    evidence ever gives; too few items say neither.
    """
    said: list[Standing] = []
    errors = np.ones(len(is_enough), bool) if has_errors is None else has_errors
    each = zip(contrast.low, contrast.high, adjusted, is_enough & errors, errors, strict=True)
    for low, high, p, enough, is_called in each:
        if np.isfinite(p) and p < ALPHA and (low > 0 or high < 0) and is_called:
            said.append("disparity")
        elif np.isfinite(low) and -margin < low and high < margin:
            said.append("equivalent")
        else:
            said.append("undecided" if enough else "insufficient")
    return said
