"""How many items a group needs before silence means anything (power 80 %, two-sided 5 %)."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from statsmodels.stats.proportion import (
    power_proportions_2indep,
    samplesize_proportions_2indep_onetail,
)

from moderation.audits.statistics.rates import ALPHA

POWER = 0.8


@cache
def needed(reference: float, difference: float) -> int:
    """Items in each group to find `difference` above a `reference` rate. Raises ValueError."""
    if min(reference, difference) <= 0 or reference + difference >= 1:
        raise ValueError("the rates must lie between 0 and 1, and the difference above 0")
    # Named "onetail" for leaving out the power of the other side; the test is two-sided.
    size = samplesize_proportions_2indep_onetail(difference, reference, POWER, alpha=ALPHA)
    return int(math.ceil(size))


def missing(items: ArrayLike, *, reference: float, difference: float) -> NDArray[np.int64]:
    """How many more items each group needs; nought where it has enough."""
    lacking = needed(reference, difference) - np.floor(np.asarray(items, float))
    return np.asarray(np.maximum(lacking, 0), dtype=np.int64)


def power(items: float, *, reference: float, difference: float, ratio: float = 1.0) -> float:
    """Power with `items` in the group and `ratio` times as many in the reference."""
    if items < 2:
        return 0.0
    found = power_proportions_2indep(
        difference, reference, items, ratio=ratio, alpha=ALPHA, return_results=False
    )
    return float(found)
