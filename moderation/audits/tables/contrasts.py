"""Paired contrasts of a suite: what may be said of each, and what the numbers rest on.

Pairs of one template are no independent observations. What follows from them is computed by
template beside the plain figures, and a disparity is called one only where both say so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from moderation.audits.statistics import (
    multiple_comparisons,
    pairs,
    power,
    rates,
)
from moderation.audits.tables.audit_report import INSUFFICIENT, Forest, Kind, Table, number, table
from moderation.audits.tables.suite_results import Paired

SEED = 20261126
DRAWS = 1000
TOO_FEW = 10
"""Below so many templates there is no bootstrap (Field and Welsh 2007)."""
PLANNED = (0.02, 0.04)
"""The audit is planned to find 6 % against 2 %."""


PRIMARY_COLUMNS: list[tuple[str, str, Kind]] = [
    ("stage", "Stage", "text"),
    ("contrast", "Contrast", "text"),
    ("standing", "What may be said", "text"),
    ("pairs", "Pairs", "count"),
    ("both", "Both flagged", "count"),
    ("only_one", "Only the group", "count"),
    ("only_reference", "Only the reference", "count"),
    ("difference", "Difference", "difference"),
    ("low", "from", "difference"),
    ("high", "to", "difference"),
    ("low_by_prompt", "from, by template", "difference"),
    ("high_by_prompt", "to, by template", "difference"),
    ("ratio", "Ratio", "ratio"),
    ("ratio_low", "from", "ratio"),
    ("ratio_high", "to", "ratio"),
    ("p_exact", "McNemar exact p", "p"),
    ("p_by_prompt", "Sign-flip p, by template", "p"),
    ("p_adjusted", "Holm p", "p"),
]


@dataclass(frozen=True, slots=True)
class ContrastVerdict:
    """What may be said of one primary contrast, and the figures that it rests on."""

    stage: str
    name: str
    standing: multiple_comparisons.Standing
    difference: tuple[float, float, float]
    adjusted: float
    discordant: int
    missing: str


def primary(found: Sequence[Paired], *, margin: float) -> tuple[Table, list[ContrastVerdict]]:
    """The contrasts that the suite named beforehand, adjusted together by Holm's method."""
    counted = [pairs.count_pairs(each.one, each.reference) for each in found]
    worth = [pairs.by_cluster(each.difference, each.cluster) for each in found]
    exact = np.array([pairs.mcnemar_exact(each)[0] for each in counted])
    flipped = np.array([pairs.sign_flip(p.difference, p.cluster, seed=SEED) for p in found])
    family = multiple_comparisons.holm(np.fmax(exact, flipped))
    careful = [
        pairs.paired_difference(pairs.scaled(each, n))
        for each, n in zip(counted, worth, strict=True)
    ]
    lacking = power.missing(worth, reference=PLANNED[0], difference=PLANNED[1])
    joined = rates.Estimates(
        *(
            np.array([getattr(each, side)[0] for each in careful])
            for side in ("value", "low", "high")
        )
    )
    said = multiple_comparisons.standings(
        joined, family.adjusted, margin=margin, is_enough=lacking == 0
    )
    verdicts = [
        ContrastVerdict(
            each.stage,
            each.name,
            said[place],
            careful[place][0],
            float(family.adjusted[place]),
            int(counted[place].discordant[0]),
            f"{lacking[place]} more independent pairs needed",
        )
        for place, each in enumerate(found)
    ]
    rows = [_primary_row(*each) for each in zip(verdicts, counted, exact, flipped, strict=True)]
    return _primary_table(rows, tests=family.size, margin=margin), verdicts


def _primary_row(
    verdict: ContrastVerdict, counted: pairs.Pairs, exact: float, flipped: float
) -> tuple[object, ...]:
    reference = counted.both + counted.only_reference
    return (
        verdict.stage,
        verdict.name,
        _words(verdict.standing, verdict.missing),
        counted.total[0],
        counted.both[0],
        counted.only_one[0],
        counted.only_reference[0],
        *pairs.paired_difference(counted)[0],
        *verdict.difference[1:],
        *rates.ratio(counted.both + counted.only_one, counted.total, reference, counted.total)[0],
        exact,
        flipped,
        verdict.adjusted,
    )


def _primary_table(rows: list[tuple[object, ...]], *, tests: int, margin: float) -> Table:
    return table(
        "primary",
        "Primary contrasts, set before anything was rendered",
        PRIMARY_COLUMNS,
        rows,
        note=(
            f"Family of {tests} tests, adjusted by Holm's method for the larger of the two "
            f"p values. Differences: Newcombe's interval for pairs, and the same on the number of "
            f"pairs that the templates are worth. Equivalent: that interval lies inside "
            f"{margin * 100:g} points, a margin set beforehand. Planned to find 6 % against 2 % "
            f"with 80 % power: {power.needed(*PLANNED)} independent pairs."
        ),
    )


def exploration(found: Sequence[Paired]) -> Table:
    """Each contrast within each activity: hints for the next audit, not findings."""
    parts = [
        (activity, each.of(str(activity)))
        for each in found
        for activity in np.unique(each.activity)
    ]
    counted = [pairs.count_pairs(part.one, part.reference) for _, part in parts]
    p = np.array([pairs.mcnemar_exact(each)[0] for each in counted])
    family = multiple_comparisons.benjamini_hochberg(p)
    rows = [
        (
            part.stage,
            part.name,
            str(activity),
            c.total[0],
            c.only_one[0],
            c.only_reference[0],
            *pairs.paired_difference(c)[0],
            p[place],
            family.adjusted[place],
        )
        for place, ((activity, part), c) in enumerate(zip(parts, counted, strict=True))
    ]
    return table(
        "exploration",
        "Exploration by activity",
        [
            ("stage", "Stage", "text"),
            ("contrast", "Contrast", "text"),
            ("activity", "Activity", "text"),
            ("pairs", "Pairs", "count"),
            ("only_one", "Only the group", "count"),
            ("only_reference", "Only the reference", "count"),
            ("difference", "Difference", "difference"),
            ("low", "from", "difference"),
            ("high", "to", "difference"),
            ("p_exact", "McNemar exact p", "p"),
            ("p_adjusted", "Benjamini-Hochberg p", "p"),
        ],
        rows,
        note=f"Family of {family.size} tests; pairs taken as independent, so hints and no more.",
    )


def scores_table(found: Sequence[Paired]) -> tuple[Table, Forest]:
    """How far scores move with the person alone: seen long before a threshold is crossed."""
    rows, points = [], []
    for each in found:
        low, high = _mean_interval(each)
        mean = float(each.score.mean()) if len(each.score) else float("nan")
        spread = float(each.score.std(ddof=1)) if len(each.score) > 1 else float("nan")
        rows.append((each.stage, each.name, len(each.score), mean, low, high, spread))
        label = f"{each.stage}: {each.name}"
        points.append((label, number(mean), number(low), number(high)))
    made = table(
        "scores",
        "Shift of the score with the person alone",
        [
            ("stage", "Stage", "text"),
            ("contrast", "Contrast", "text"),
            ("pairs", "Pairs", "count"),
            ("shift", "Mean shift", "number"),
            ("low", "from", "number"),
            ("high", "to", "number"),
            ("spread", "Standard deviation", "number"),
        ],
        rows,
        note=(
            "In parts of the threshold of the nearest category: 1 is the way from nothing to held. "
            f"Cluster bootstrap by template, {DRAWS} draws, 95 % percentiles; "
            "none below "
            f"{TOO_FEW} templates."
        ),
    )
    forest = Forest("scores", "Mean shift of the score", 0.0, False, tuple(points), "number")
    return made, forest


def _mean_interval(each: Paired) -> tuple[float, float]:
    count = len(np.unique(each.cluster))
    if count < TOO_FEW:
        return float("nan"), float("nan")
    sums = np.bincount(each.cluster, each.score)
    sizes = np.bincount(each.cluster)
    picked = np.random.default_rng(SEED).integers(0, count, (DRAWS, count))
    means = sums[picked].sum(1) / sizes[picked].sum(1)
    low, high = np.quantile(means, [rates.ALPHA / 2, 1 - rates.ALPHA / 2])
    return float(low), float(high)


def _words(standing: multiple_comparisons.Standing, missing: str) -> str:
    return f"{INSUFFICIENT}: {missing}" if standing == "insufficient" else standing
