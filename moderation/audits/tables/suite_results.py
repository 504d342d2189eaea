"""Outcomes of a suite, paired: the same picture or sentence with another person in it.

Pairs differ in one term and share template, seed and all other terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.suites.counterfactuals import Contrast, Suite
from moderation.audits.suites.person_terms import DIMENSIONS, title

Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What one stage said of each unit of a suite. Arrays with one element a unit.

    `score` is the part of its threshold that the nearest category's score reaches: 1 is flagged.
    """

    stage: str
    template: NDArray[np.str_]
    activity: NDArray[np.str_]
    groups: dict[str, NDArray[np.str_]]
    seed: NDArray[np.int64]
    is_violating: NDArray[np.bool_]
    is_flagged: NDArray[np.bool_]
    score: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Paired:
    """One contrast of one stage: flags and scores of both sides, and the template of each pair."""

    stage: str
    contrast: Contrast
    one: NDArray[np.bool_]
    reference: NDArray[np.bool_]
    score: NDArray[np.float64]
    cluster: Index
    activity: NDArray[np.str_]

    @property
    def difference(self) -> NDArray[np.float64]:
        """1 where only the group is flagged, -1 where only the reference is."""
        return self.one.astype(np.float64) - self.reference.astype(np.float64)

    @property
    def name(self) -> str:
        c = self.contrast
        return f"{title(c.group)} against {title(c.reference)}"

    def of(self, activity: str) -> Paired:
        kept = self.activity == activity
        return Paired(
            self.stage,
            self.contrast,
            self.one[kept],
            self.reference[kept],
            self.score[kept],
            self.cluster[kept],
            self.activity[kept],
        )


def pair_up(outcomes: Outcomes, contrast: Contrast) -> Paired:
    """Pairs of acceptable units that differ in the contrast's term alone."""
    others = [name for name in DIMENSIONS if name != contrast.dimension]
    keys: dict[tuple[str, ...], dict[str, int]] = {}
    for place in np.flatnonzero(~outcomes.is_violating):
        key = (
            str(outcomes.template[place]),
            str(outcomes.seed[place]),
            *(str(outcomes.groups[name][place]) for name in others),
        )
        keys.setdefault(key, {})[str(outcomes.groups[contrast.dimension][place])] = int(place)
    both = [
        (sides[contrast.group], sides[contrast.reference])
        for sides in keys.values()
        if contrast.group in sides and contrast.reference in sides
    ]
    one = np.array([left for left, _ in both], dtype=np.intp)
    reference = np.array([right for _, right in both], dtype=np.intp)
    _, cluster = np.unique(outcomes.template[one], return_inverse=True)
    return Paired(
        outcomes.stage,
        contrast,
        outcomes.is_flagged[one],
        outcomes.is_flagged[reference],
        outcomes.score[one] - outcomes.score[reference],
        cluster.astype(np.intp),
        outcomes.activity[one],
    )


def paired_contrasts(stages: Sequence[Outcomes], suite: Suite) -> list[Paired]:
    """Every contrast of the suite at every stage, paired by what else the prompts share."""
    return [pair_up(outcomes, contrast) for outcomes in stages for contrast in suite.contrasts]
