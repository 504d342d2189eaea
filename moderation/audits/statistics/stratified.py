"""Shares of rare events from a sample drawn stratum by stratum out of a known frame.

A total is a sum of Poisson counts, each with the weight of its stratum. Its two confidence
distributions are gamma: one matches mean and variance of what was seen, the other those of what was
seen and one item more, of the largest weight that an unseen item could have (Fay and Feuer 1997,
Statistics in Medicine 16, 791-801). So a stratum in which nothing was found still contributes what
it may hide. Half of the one and half of the other is the mid-p form (Fay and Kim 2017, Biometrical
Journal 59, 842-854). A share of two totals is a ratio of gammas, so a beta; with equal weights it
is the mid-p form of Clopper and Pearson's interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc

from moderation.audits.statistics.rates import ALPHA, Array, Estimates, share

Index = NDArray[np.intp]
HALVINGS = 50


@dataclass(frozen=True, slots=True)
class Total:
    """A total by group: the sum of weights, its variance, and the weight of one item more."""

    sum: Array
    variance: Array
    one_more: Array

    def __getitem__(self, places: Index | NDArray[np.bool_] | list[int]) -> Total:
        return Total(self.sum[places], self.variance[places], self.one_more[places])

    def more(self) -> Total:
        """What was seen, and one item that was not."""
        return Total(self.sum + self.one_more, self.variance + self.one_more**2, self.one_more)

    def items(self) -> Array:
        """How many independent items the total is worth."""
        return np.nan_to_num(share(self.sum**2, self.variance))


def total(
    *,
    weight: Array,
    is_counted: NDArray[np.bool_],
    group: Index,
    groups: int,
    known: Array,
    clusters: Sequence[Index],
    one_more: Array,
) -> Total:
    """The total of the counted items by group.

    `known` is, by item, the part of the variance that the frame's known total leaves; items of one
    cluster are added before they are squared, in whichever of the `clusters` adds most.
    """
    held = np.where(is_counted, weight, 0.0)
    alone = np.bincount(group, held**2, minlength=groups)
    shared = np.zeros(groups)
    for cluster in clusters:
        count = int(cluster.max(initial=-1)) + 1
        cell, place = np.unique(group * max(count, 1) + cluster, return_inverse=True)
        sums = np.bincount(place, held, minlength=len(cell)) ** 2
        of_group = (cell // max(count, 1)).astype(np.intp)
        shared = np.fmax(shared, np.bincount(of_group, sums, minlength=groups) - alone)
    return Total(
        np.bincount(group, held, minlength=groups).astype(np.float64),
        np.bincount(group, held**2 * known, minlength=groups) + shared,
        one_more,
    )


def interval(part: Total, rest: Total, *, alpha: ArrayLike = ALPHA) -> Estimates:
    """The share of `part` in both; from 0 to 1 where there is neither."""
    value = share(part.sum, part.sum + rest.sum)
    tail = np.asarray(alpha, float) / 2
    return Estimates(value, _quantile(part, rest, tail), 1 - _quantile(rest, part, tail))


def _quantile(part: Total, rest: Total, chance: Array) -> Array:
    """Where both confidence distributions have half of `chance` each, by bisection."""
    sides = _Odds.of(part, rest.more()), _Odds.of(part.more(), rest)
    low, high = np.zeros(part.sum.shape), np.ones(part.sum.shape)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        below = sum(side.below(middle) for side in sides) / 2
        low, high = np.where(below < chance, middle, low), np.where(below < chance, high, middle)
    return low


@dataclass(frozen=True, slots=True)
class _Odds:
    """The odds of two gammas: the shapes of both, the scale of the part over that of the rest."""

    part: Array
    rest: Array
    scale: Array
    is_both: NDArray[np.bool_]

    @classmethod
    def of(cls, part: Total, rest: Total) -> _Odds:
        is_both = (part.sum > 0) & (rest.sum > 0)
        scale = share(part.variance * rest.sum, rest.variance * part.sum)
        a, b = part.items(), np.where(is_both, rest.items(), 1.0)
        return cls(a, b, np.where(is_both, scale, 1.0), is_both)

    def below(self, at: Array) -> Array:
        """Chance that the share of the part lies at or below `at`; one of nothing is nought."""
        place = at / (at + (1 - at) * self.scale)
        inside = betainc(np.where(self.is_both, self.part, 1.0), self.rest, place)
        return np.where(self.is_both, inside, np.where(self.part > 0, 0.0, 1.0))


def ratio(one: Estimates, reference: Estimates) -> Estimates:
    """One rate over the reference's from their intervals (Donner and Zou 2012, Statistical Methods
    in Medical Research 21, 347-359); NaN above where the reference may be nought.
    """
    product = one.value * reference.value
    low, high = (
        (end * (2 * one.value - end), end_0 * (2 * reference.value - end_0))
        for end, end_0 in ((one.low, reference.high), (one.high, reference.low))
    )
    less, more = (np.sqrt(np.maximum(product**2 - a * b, 0)) for a, b in (low, high))
    value = share(one.value, reference.value)
    least = np.where(one.low > 0, share(low[0], product + less), value * 0)
    return Estimates(value, least, share(product + more, high[1]))


def p_of_difference(part: Total, rest: Total, part_0: Total, rest_0: Total) -> Array:
    """Two-sided p: the level at which the interval of the difference, Newcombe's of the two rates'
    (`rates.apart`), just leaves nought out; NaN where a side has nothing.
    """
    one, reference = (share(a.sum, a.sum + b.sum) for a, b in ((part, rest), (part_0, rest_0)))
    is_swapped = reference > one
    above = _either(is_swapped, part_0, part), _either(is_swapped, rest_0, rest)
    below = _either(is_swapped, rest, rest_0), _either(is_swapped, part, part_0)
    apart, high_rate = np.abs(one - reference), np.fmax(one, reference)
    low, high = np.full(one.shape, -40.0), np.zeros(one.shape)  # logarithms of the level
    for _ in range(HALVINGS // 2):
        middle = (low + high) / 2
        tail = np.exp(middle) / 2
        ends = high_rate - _quantile(*above, tail), 1 - _quantile(*below, tail) - high_rate + apart
        holds = np.hypot(*ends) >= apart
        low, high = np.where(holds, middle, low), np.where(holds, high, middle)
    return np.where(np.isfinite(apart), np.exp(high), np.nan)


def _either(is_first: NDArray[np.bool_], one: Total, other: Total) -> Total:
    return Total(
        np.where(is_first, one.sum, other.sum),
        np.where(is_first, one.variance, other.variance),
        np.where(is_first, one.one_more, other.one_more),
    )
