"""A threshold moved over scores that are stored: what changes, and at what cost. No model runs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics.rates import Array, share


@dataclass(frozen=True, slots=True)
class Change:
    """How many items a new threshold flags that the old one passed, and the reverse."""

    flagged_before: int
    flagged_after: int
    newly_flagged: int
    newly_passed: int


@dataclass(frozen=True, slots=True)
class Curve:
    """Operating characteristics at each threshold, highest first; NaN where a rate has no items."""

    threshold: Array
    true_positive_rate: Array
    false_positive_rate: Array
    precision: Array


def change(scores: NDArray[np.floating], *, before: float, after: float) -> Change:
    """Replay every score against both thresholds; a score at the threshold is flagged."""
    old, new = scores >= before, scores >= after
    return Change(
        flagged_before=int(np.count_nonzero(old)),
        flagged_after=int(np.count_nonzero(new)),
        newly_flagged=int(np.count_nonzero(new & ~old)),
        newly_passed=int(np.count_nonzero(old & ~new)),
    )


def curve(
    scores: Array, *, is_violating: NDArray[np.bool_], weight: Array, points: int = 201
) -> Curve:
    """Weighted ROC and precision-recall on an even grid of thresholds from 1 to 0."""
    threshold = np.linspace(1, 0, points)
    order = np.argsort(-scores, kind="stable")
    ranked = -scores[order]
    hits = np.concatenate([[0], np.cumsum((weight * is_violating)[order])])
    misses = np.concatenate([[0], np.cumsum((weight * ~is_violating)[order])])
    place = np.searchsorted(ranked, -threshold, side="right")
    true_positive, false_positive = hits[place], misses[place]
    return Curve(
        threshold=threshold,
        true_positive_rate=share(true_positive, hits[-1]),
        false_positive_rate=share(false_positive, misses[-1]),
        precision=share(true_positive, true_positive + false_positive),
    )
