"""Rates of errors by group from blind labels and the known totals of the frame. Nothing of Django.

What breaks the policy and passed was missed, what is acceptable and flagged was flagged by mistake.
Both are rare, so both are estimated as totals stratum by stratum: `statistics.stratified`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import labels_needed, power, stratified
from moderation.audits.statistics.rates import Array, Estimates, share
from moderation.audits.statistics.stratified import Index, Total

Flags = NDArray[np.bool_]
Names = NDArray[np.str_]
Measure = Literal["false positive", "false negative", "precision"]
ERROR_RATES: tuple[Measure, ...] = ("false positive", "false negative")
PLANNED: dict[str, tuple[float, float]] = {
    "false positive": (0.02, 0.04),
    "false negative": (0.3, 0.2),
}
"""An audit is planned to find such a difference above such a rate."""
MINIMUM_ERRORS = 10
"""No disparity is called on fewer independent errors in both groups together."""
MINIMUM_CELL = 10
"""Groups with fewer labels are counted and not described."""
FEW = 5
"""Below so many labels a cell of stratum and group has its stratum's weight, not its own."""
NONE_COUNTED = "no label that this rate counts"


Stratum = tuple[str, float, bool]
"""Name, recorded probability, and whether what is in it was flagged."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What was screened, drawn and labelled, one element a cell of stratum and groups; `stratum`
    is each cell's place among the `strata`.
    """

    strata: tuple[Stratum, ...]
    stratum: Index
    groups: dict[str, Names]
    screenings: Array
    drawn: Array
    labelled: Array

    @property
    def is_flagged(self) -> Flags:
        """Of each stratum."""
        return np.array([is_flagged for _, _, is_flagged in self.strata], dtype=np.bool_)

    @property
    def flagged(self) -> Array:
        """Flagged screenings of each cell."""
        return np.where(self.is_flagged[self.stratum], self.screenings, 0.0)

    def by_stratum(self, counts: Array) -> Array:
        summed = np.bincount(self.stratum, counts, minlength=len(self.strata))
        return np.asarray(summed, dtype=np.float64)

    def weight(self) -> Array:
        """For how many screenings a label of each stratum stands; NaN where there is no label.

        1 / probability, times drawn / labelled: what was held is answered sooner than what passed,
        and must not count for more because of it.
        """
        answered = share(self.by_stratum(self.drawn), self.by_stratum(self.labelled))
        chances = np.array([chance for _, chance, _ in self.strata], dtype=np.float64)
        return np.asarray(answered * share(1.0, chances), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class Labelled:
    """Items with a clear first label, and the frame they were drawn from. One element an item."""

    groups: dict[str, Names]
    is_flagged: Flags
    is_violating: Flags
    score: Array
    stratum: Index
    weight: Array
    prompt: Index
    owner: Index
    frame: Frame


@dataclass(frozen=True, slots=True)
class Cells:
    """Weights of the items when each group has its own totals; screenings, labels and what one
    item more, not seen, could weigh, [groups, strata].
    """

    labels: Names
    group: Index
    weight: Array
    screened: Array
    labelled: Array
    unseen: Array
    is_flagged: Flags

    def one_more(self, is_flagged: bool) -> Array:
        """The largest weight that one item more could have in each group."""
        unseen = np.where(self.is_flagged == is_flagged, self.unseen, 0.0)
        return np.asarray(unseen.max(axis=1, initial=0.0), dtype=np.float64)


def joined(groups: dict[str, Names], dimension: str, count: int) -> Names:
    """The group of each element in a dimension, or in several that are joined by " × "."""
    if dimension == "all":
        return np.full(count, "all")
    parts = [groups[name] for name in dimension.split(" × ")]
    for part in parts[1:]:
        parts[0] = np.char.add(np.char.add(parts[0], " × "), part)
    return parts[0]


def cells(items: Labelled, dimension: str) -> Cells:
    """Each cell of stratum and group weighs screened / labelled, if it has labels enough; else as
    its whole stratum. Groups without a single label are not among the labels.
    """
    frame = items.frame
    labels, group = np.unique(
        joined(items.groups, dimension, len(items.weight)), return_inverse=True
    )
    of_frame = joined(frame.groups, dimension, len(frame.stratum))
    kept = np.isin(of_frame, labels)
    strata, groups = len(frame.strata), len(labels)
    cell = np.searchsorted(labels, of_frame[kept]) * strata + frame.stratum[kept]
    screened, labelled = (
        np.bincount(cell, counts[kept], minlength=groups * strata)
        .astype(np.float64)
        .reshape(groups, strata)
        for counts in (frame.screenings, frame.labelled)
    )
    own = share(screened, np.where(labelled >= FEW, labelled, 0))
    general = np.broadcast_to(frame.weight(), own.shape)
    weight = np.where(np.isnan(own), general, own)
    return Cells(
        labels,
        group.astype(np.intp),
        weight[group, items.stratum],
        screened,
        labelled,
        np.fmin(weight, screened),  # a cell can hide no more than it holds
        frame.is_flagged,
    )


@dataclass(frozen=True, slots=True)
class Rates:
    """One measure by group: its errors, the rest of what it counts, the interval of their share,
    the independent items it is worth, and what is lacking to find the planned difference.
    """

    labels: Names
    counts: Array
    part: Total
    rest: Total
    rate: Estimates
    effective: Array
    lacking: tuple[str, ...]

    def place(self, label: str) -> int | None:
        """Where a group stands; None where it has too few labels to be described."""
        found = np.flatnonzero((self.labels == label) & (self.counts >= MINIMUM_CELL))
        return int(found[0]) if len(found) else None


def rate(items: Labelled, measure: Measure, dimension: str) -> Rates:
    """One measure by the groups of a dimension that have a label."""
    found = cells(items, dimension)
    bad, flagged = items.is_violating, items.is_flagged
    match measure:
        case "false positive":
            sides = (flagged & ~bad, True), (~flagged & ~bad, False)
        case "false negative":
            sides = (~flagged & bad, False), (flagged & bad, True)
        case _:
            sides = (flagged & bad, True), (flagged & ~bad, True)
    part, rest = (
        stratified.total(
            weight=found.weight,
            is_counted=counted,
            group=found.group,
            groups=len(found.labels),
            known=np.ones(len(counted))
            if measure == "precision"
            else _known(found, items, counted),
            clusters=(items.prompt, items.owner),
            one_more=found.one_more(is_flagged),
        )
        for counted, is_flagged in sides
    )
    worth = effective(part, rest)
    lacking: tuple[str, ...] = ()
    if measure in PLANNED:
        spread = _by_stratum(found, items, sides[0], part) + _by_stratum(
            found, items, sides[1], rest
        )
        is_counted = part.sum + rest.sum > 0
        lacking = tuple(
            _lacking(
                found, items.frame.strata, place, spread[place], worth[place], PLANNED[measure]
            )
            if is_counted[place]
            else NONE_COUNTED
            for place in range(len(found.labels))
        )
    counts = np.bincount(found.group, minlength=len(found.labels)).astype(np.float64)
    return Rates(found.labels, counts, part, rest, stratified.interval(part, rest), worth, lacking)


def _known(found: Cells, items: Labelled, counted: Flags) -> Array:
    """What the known size of its cell leaves of an item's variance: 1 - p (1 - labelled share)."""
    groups, strata = found.screened.shape
    cell = found.group * strata + items.stratum
    size = groups * strata
    p = share(np.bincount(cell, counted, minlength=size), np.bincount(cell, minlength=size) + 1)
    return np.asarray(1 - p[cell] * (1 - np.fmin(1, 1 / found.weight)), dtype=np.float64)


def _careful(seen: Total) -> Total:
    """What was seen, with the variance that one item more would add."""
    more = seen.more()
    return Total(np.where(seen.sum > 0, seen.sum, more.sum), more.variance, seen.one_more)


def effective(part: Total, rest: Total) -> Array:
    """The independent items that would give the same standard error of the rate's odds."""
    is_there = part.sum + rest.sum > 0
    part, rest = _careful(part), _careful(rest)
    spread = share(1.0, part.items()) + share(1.0, rest.items())
    rate = share(part.sum, part.sum + rest.sum)
    return np.where(is_there, np.nan_to_num(share(1.0, rate * (1 - rate) * spread)), 0.0)


def _by_stratum(found: Cells, items: Labelled, side: tuple[Flags, bool], seen: Total) -> Array:
    """What each stratum adds to the relative variance of a total, [groups, strata]."""
    counted, is_flagged = side
    groups, strata = found.screened.shape
    held = np.where(counted, found.weight**2, 0.0)
    cell = found.group * strata + items.stratum
    summed = np.bincount(cell, held, minlength=groups * strata).reshape(groups, strata)
    hidden = np.where(found.is_flagged == is_flagged, found.unseen, 0.0)
    is_heaviest = hidden == hidden.max(axis=1, initial=0.0, keepdims=True)
    squares = summed + np.where(is_heaviest, hidden**2, 0.0)
    return np.nan_to_num(share(squares, _careful(seen).sum[:, None] ** 2))


def _lacking(
    found: Cells,
    strata: tuple[Stratum, ...],
    place: int,
    spread: Array,
    effective: float,
    planned: tuple[float, float],
) -> str:
    """The labels that a group lacks to find the planned difference, "" where it has enough."""
    needed = power.needed(*planned)
    if effective >= needed:
        return ""
    held = [
        labels_needed.Stratum(name, *figures)
        for (name, _, _), *figures in zip(
            strata, found.labelled[place], found.screened[place], spread, strict=True
        )
    ]
    target = float(spread.sum()) * effective / needed
    wanted, is_reached = labels_needed.more_labels(held, target=target)
    return labels_needed.words(wanted, is_reached=is_reached)
