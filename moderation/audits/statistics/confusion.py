"""Confusion matrices of many groups at once: flagged against what people say it was."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics.rates import Array, Estimates, wilson


@dataclass(frozen=True, slots=True)
class Confusion:
    """Counts, or sums of weights, one element a group: what was flagged, and what violates."""

    true_positive: Array
    false_positive: Array
    false_negative: Array
    true_negative: Array

    @property
    def total(self) -> Array:
        return self.flagged + self.false_negative + self.true_negative

    @property
    def flagged(self) -> Array:
        return self.true_positive + self.false_positive

    @property
    def violating(self) -> Array:
        return self.true_positive + self.false_negative

    @property
    def acceptable(self) -> Array:
        return self.false_positive + self.true_negative

    def selection_rate(self) -> Estimates:
        return wilson(self.flagged, self.total)

    def false_positive_rate(self) -> Estimates:
        return wilson(self.false_positive, self.acceptable)

    def precision(self) -> Estimates:
        return wilson(self.true_positive, self.flagged)


def confusion(
    group: NDArray[np.intp],
    *,
    is_flagged: NDArray[np.bool_],
    is_violating: NDArray[np.bool_],
    groups: int,
    weights: Array | None = None,
) -> Confusion:
    """Count (or weigh) the four outcomes in each of `groups` groups; an empty one is all noughts.

    `group` holds indices below `groups`; the arrays have one element an item.
    """
    cell = group * 4 + is_flagged * 2 + is_violating
    counted = np.bincount(cell, weights=weights, minlength=groups * 4).astype(np.float64)
    table = counted.reshape(groups, 4)
    return Confusion(
        true_positive=table[:, 3],
        false_positive=table[:, 2],
        false_negative=table[:, 1],
        true_negative=table[:, 0],
    )
