"""Two well-known single numbers, shown beside the rates and never instead of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics.rates import Array

FOUR_FIFTHS_LIMIT = (
    "Compares pass rates, so it is blind where refusals are rare: refused by mistake 2 % against "
    "6 % is a pass ratio of 0.96."
)
EQUALISED_ODDS_LIMIT = (
    "The larger of the widest gaps in false positive and false negative rate: one number without "
    "an interval, which grows with the number of groups."
)


def four_fifths(selection_rate: Array) -> float:
    """Lowest pass rate over the highest (29 CFR 1607.4 D); NaN with fewer than two groups."""
    passed = 1 - selection_rate[np.isfinite(selection_rate)]
    if passed.size < 2 or passed.max() <= 0:
        return float("nan")
    return float(passed.min() / passed.max())


def equalised_odds(
    *,
    is_violating: NDArray[np.bool_],
    is_flagged: NDArray[np.bool_],
    group: NDArray[np.intp],
    weight: Array,
) -> float:
    """Equalised-odds difference by fairlearn (Hardt 2016); groups that lack acceptable or violating
    items are left out, and with fewer than two groups left it is NaN.
    """
    size = int(group.max()) + 1 if group.size else 0
    held = weight > 0
    acceptable = np.bincount(group[held & ~is_violating], minlength=size) > 0
    violating = np.bincount(group[held & is_violating], minlength=size) > 0
    usable = acceptable & violating
    if usable.sum() < 2:
        return float("nan")
    from fairlearn.metrics import equalized_odds_difference  # it loads scikit-learn

    kept = held & usable[group]
    gap = equalized_odds_difference(
        is_violating[kept],
        is_flagged[kept],
        sensitive_features=group[kept],
        sample_weight=weight[kept],
    )
    return float(gap)
