"""Tables of a suite by group and intersection: confusion matrices, rates, yardsticks, figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import power, summary_metrics, weights
from moderation.audits.statistics.confusion import confusion
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables.audit_report import INSUFFICIENT, Forest, Table, Value, table
from moderation.audits.tables.contrasts import PLANNED
from moderation.audits.tables.suite_results import Outcomes


def rates_table(stages: Sequence[Outcomes]) -> Table:
    """False positive and negative rates by group and every intersection."""
    rows = [row for outcomes in stages for row in _rate_rows(outcomes)]
    return table(
        "rates",
        "Flagged by mistake, and missed, by group",
        [
            ("stage", "Stage", "text"),
            ("dimension", "Dimension", "text"),
            ("group", "Group", "text"),
            ("items", "Items", "count"),
            ("flagged", "Flagged", "count"),
            ("true_positive", "TP", "count"),
            ("false_positive", "FP", "count"),
            ("false_negative", "FN", "count"),
            ("true_negative", "TN", "count"),
            ("effective", "Effective n", "number"),
            ("fpr", "False positive rate", "rate"),
            ("fpr_low", "from", "rate"),
            ("fpr_high", "to", "rate"),
            ("fnr", "False negative rate", "rate"),
            ("fnr_low", "from", "rate"),
            ("fnr_high", "to", "rate"),
            ("standing", "Enough for the FPR?", "text"),
            ("standing_fnr", "Enough for the FNR?", "text"),
        ],
        rows,
        note=(
            "What is acceptable and what breaks the policy follows from the template. Wilson 95 % "
            "intervals on the effective number of acceptable items, templates taken as clusters: "
            "pictures of one template are no independent observations. FNR intervals likewise. "
            "Enough: as many effective items as are needed to find 6 % against 2 % with 80 % "
            f"power, {power.needed(*PLANNED)}."
        ),
    )


def _groupings(outcomes: Outcomes) -> Iterator[tuple[str, NDArray[np.str_]]]:
    """All items together, each dimension that has groups, and every crossing of these."""
    names = [name for name in DIMENSIONS if len(np.unique(outcomes.groups[name])) > 1]
    yield "all", np.full(outcomes.template.shape, "all")
    for size in range(1, len(names) + 1):
        for together in combinations(names, size):
            joined = outcomes.groups[together[0]]
            for name in together[1:]:
                joined = np.char.add(np.char.add(joined, " × "), outcomes.groups[name])
            yield " × ".join(together), joined


def _rate_rows(outcomes: Outcomes) -> Iterator[tuple[object, ...]]:
    _, cluster = np.unique(outcomes.template, return_inverse=True)
    for dimension, values in _groupings(outcomes):
        labels, group = np.unique(values, return_inverse=True)
        counts = confusion(
            group,
            is_flagged=outcomes.is_flagged,
            is_violating=outcomes.is_violating,
            groups=len(labels),
        )
        fpr, fnr = (
            weights.hajek(
                is_hit=is_hit,
                is_counted=is_counted,
                weight=np.ones(len(group)),
                group=group,
                groups=len(labels),
                cluster=cluster,
            )
            for is_hit, is_counted in (
                (outcomes.is_flagged, ~outcomes.is_violating),
                (~outcomes.is_flagged, outcomes.is_violating),
            )
        )
        for place, label in enumerate(labels):
            yield (
                outcomes.stage,
                dimension,
                " × ".join(title(part) for part in str(label).split(" × ")),
                counts.total[place],
                counts.flagged[place],
                counts.true_positive[place],
                counts.false_positive[place],
                counts.false_negative[place],
                counts.true_negative[place],
                fpr.effective[place],
                *fpr.rate[place],
                *fnr.rate[place],
                *(enough(each.effective[place]) for each in (fpr, fnr)),
            )


def enough(effective: float) -> str:
    """Whether so many effective items could show 6 % against 2 %, and how many lack."""
    lacking = int(power.missing(effective, reference=PLANNED[0], difference=PLANNED[1]))
    return f"{INSUFFICIENT}: {lacking} more needed" if lacking else "enough"


def yardsticks_table(stages: Sequence[Outcomes]) -> Table:
    """Four-fifths ratio and equalised odds of each stage and dimension that has two groups."""
    rows = []
    for outcomes in stages:
        for name in DIMENSIONS:
            labels, group = np.unique(outcomes.groups[name], return_inverse=True)
            if len(labels) < 2:
                continue
            counts = confusion(
                group,
                is_flagged=outcomes.is_flagged,
                is_violating=outcomes.is_violating,
                groups=len(labels),
            )
            passed = summary_metrics.four_fifths(counts.selection_rate().value)
            odds = summary_metrics.equalised_odds(
                is_violating=outcomes.is_violating,
                is_flagged=outcomes.is_flagged,
                group=group,
                weight=np.ones(len(group)),
            )
            rows.append((outcomes.stage, name, passed, odds))
    return yardsticks_of(rows)


def yardsticks_of(rows: Sequence[Sequence[object]]) -> Table:
    """The table of (stage, dimension, four-fifths ratio, equalised-odds difference)."""
    return table(
        "yardsticks",
        "Two well-known yardsticks",
        [
            ("stage", "Stage", "text"),
            ("dimension", "Dimension", "text"),
            ("four_fifths", "Four-fifths ratio of pass rates", "ratio"),
            ("equalised_odds", "Equalised-odds difference", "rate"),
        ],
        rows,
        note=(
            f"Four-fifths: {summary_metrics.FOUR_FIFTHS_LIMIT} Equalised odds: "
            f"{summary_metrics.EQUALISED_ODDS_LIMIT} Both are shown because readers ask for them."
        ),
    )


def forests(primary: Table, rates: Table) -> tuple[Forest, ...]:
    """Rates of the groups; differences and ratios of the primary contrasts."""
    single = tuple(row for row in rates.rows if " × " not in str(row[1]))
    by_group = Table(rates.name, rates.title, rates.columns, single)
    contrast = ("stage", "contrast")
    return (
        Forest(
            "rates",
            "False positive rate by group",
            0.0,
            False,
            _points(by_group, ("stage", "group"), ("fpr", "fpr_low", "fpr_high")),
        ),
        Forest(
            "differences",
            "Difference in flagged by mistake, by template",
            0.0,
            False,
            _points(primary, contrast, ("difference", "low_by_prompt", "high_by_prompt")),
            "difference",
        ),
        Forest(
            "ratios",
            "Ratio of flagged by mistake",
            1.0,
            True,
            _points(primary, contrast, ("ratio", "ratio_low", "ratio_high")),
            "ratio",
        ),
    )


def _points(
    source: Table, label: Sequence[str], values: tuple[str, str, str]
) -> tuple[tuple[str, Value, Value, Value], ...]:
    labels = list(zip(*(source.cells(name) for name in label), strict=True))
    value, low, high = (source.cells(name) for name in values)
    return tuple(
        (": ".join(str(part) for part in words), value[place], low[place], high[place])
        for place, words in enumerate(labels)
    )
