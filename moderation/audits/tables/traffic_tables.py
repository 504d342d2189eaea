"""Rates on real traffic from labels drawn with known probabilities, by group. Nothing of Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import (
    cluster_bootstrap,
    multiple_comparisons,
    power,
    rates,
    weights,
)
from moderation.audits.statistics.confusion import confusion
from moderation.audits.statistics.rates import Estimates
from moderation.audits.suites.counterfactuals import Contrast
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables.audit_report import INSUFFICIENT, Forest, Kind, Table, number, table
from moderation.audits.tables.contrasts import PLANNED, SEED, ContrastVerdict

MINIMUM_CELL = 10
"""Groups with fewer labels are counted and not described."""
PRIMARY = (Contrast("gender", "woman", "man"), Contrast("skin", "dark", "light"))
DRAWS = 400
ERROR_RATES = ("false positive", "false negative")
Flags = NDArray[np.bool_]
Index = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Items with a clear first label. Arrays with one element an item."""

    groups: dict[str, NDArray[np.str_]]
    is_flagged: Flags
    is_violating: Flags
    score: NDArray[np.float64]
    weight: NDArray[np.float64]
    prompt: Index
    owner: Index

    def measure(self, name: str) -> tuple[Flags, Flags]:
        """What is a hit of the measure, and which items it counts."""
        if name == "false positive":
            return self.is_flagged, ~self.is_violating
        return ~self.is_flagged, self.is_violating


@dataclass(frozen=True, slots=True)
class Rated:
    """One measure by group: by prompts as clusters, with the larger standard error of both ways."""

    by_prompt: weights.Weighted
    error: NDArray[np.float64]


def rate(items: Labelled, measure: str, group: Index, groups: int) -> Rated:
    """One measure by group, weighted; `group` holds each item's number below `groups`."""
    is_hit, is_counted = items.measure(measure)
    found = [
        weights.hajek(
            is_hit=is_hit,
            is_counted=is_counted,
            weight=items.weight,
            group=group,
            groups=groups,
            cluster=cluster,
        )
        for cluster in (items.prompt, items.owner)
    ]
    careful = found[1] if _is_wider(found[1], found[0]) else found[0]
    return Rated(careful, np.fmax(found[0].error, found[1].error))


def _is_wider(one: weights.Weighted, other: weights.Weighted) -> bool:
    return bool(np.nansum(one.error) > np.nansum(other.error))


def rates_table(items: Labelled) -> Table:
    """Weighted confusion matrix and rates of every group of every dimension."""
    rows = [row for dimension in ("all", *DIMENSIONS) for row in _rows(items, dimension)]
    rows += list(_rows(items, "gender × skin"))
    return table(
        "rates",
        "Estimated rates by group",
        [
            ("dimension", "Dimension", "text"),
            ("group", "Group", "text"),
            ("labels", "Labels", "count"),
            ("effective", "Effective n", "number"),
            ("true_positive", "TP, estimated", "count"),
            ("false_positive", "FP, estimated", "count"),
            ("false_negative", "FN, estimated", "count"),
            ("true_negative", "TN, estimated", "count"),
            ("fpr", "False positive rate", "rate"),
            ("fpr_low", "from", "rate"),
            ("fpr_high", "to", "rate"),
            ("fnr", "False negative rate", "rate"),
            ("fnr_low", "from", "rate"),
            ("fnr_high", "to", "rate"),
            ("precision", "Precision", "rate"),
            ("precision_low", "from", "rate"),
            ("precision_high", "to", "rate"),
            ("standing", "Enough for the FPR?", "text"),
            ("standing_fnr", "Enough for the FNR?", "text"),
        ],
        rows,
        note=(
            "Hajek estimates: each label counts 1 / inclusion probability. Wilson 95 % intervals "
            "on the effective number of items, from the variance with prompts or owners as "
            "clusters, whichever is larger. Enough: as many effective items, acceptable for the "
            "FPR and violating for the FNR, as are needed to find 6 % against 2 % with 80 % "
            f"power, {power.needed(*PLANNED)}. Groups with fewer than {MINIMUM_CELL} labels are "
            "counted and not described."
        ),
    )


def grouped(items: Labelled, dimension: str) -> tuple[NDArray[np.str_], Index]:
    """Labels of the groups, and each item's index among them."""
    if dimension == "all":
        return np.array(["all"]), np.zeros(len(items.weight), dtype=np.intp)
    parts = [items.groups[name] for name in dimension.split(" × ")]
    joined = parts[0]
    for part in parts[1:]:
        joined = np.char.add(np.char.add(joined, " × "), part)
    labels, group = np.unique(joined, return_inverse=True)
    return labels, group.astype(np.intp)


def _rows(items: Labelled, dimension: str) -> Iterator[tuple[object, ...]]:
    labels, group = grouped(items, dimension)
    count = len(labels)
    counts = confusion(
        group,
        is_flagged=items.is_flagged,
        is_violating=items.is_violating,
        groups=count,
        weights=items.weight,
    )
    fpr, fnr = (rate(items, measure, group, count).by_prompt for measure in ERROR_RATES)
    precision = weights.hajek(
        is_hit=items.is_violating,
        is_counted=items.is_flagged,
        weight=items.weight,
        group=group,
        groups=count,
        cluster=items.prompt,
    )
    labelled = np.bincount(group, minlength=count)
    for place, label in enumerate(labels):
        said = " × ".join(title(part) for part in str(label).split(" × "))
        if labelled[place] < MINIMUM_CELL:
            hidden = [None] * 14
            yield (dimension, said, labelled[place], *hidden, *["below the minimum cell"] * 2)
            continue
        yield (
            dimension,
            said,
            labelled[place],
            fpr.effective[place],
            counts.true_positive[place],
            counts.false_positive[place],
            counts.false_negative[place],
            counts.true_negative[place],
            *fpr.rate[place],
            *fnr.rate[place],
            *precision.rate[place],
            *(enough(each.effective[place]) for each in (fpr, fnr)),
        )


def enough(effective: float) -> str:
    """Whether so many effective items could show 6 % against 2 %, and how many lack."""
    lacking = int(power.missing(effective, reference=PLANNED[0], difference=PLANNED[1]))
    return f"{INSUFFICIENT}: {lacking} more needed" if lacking else "enough"


@dataclass(frozen=True, slots=True)
class Contrasted:
    """One primary contrast of one measure; NaN where a side has nothing."""

    measure: str
    name: str
    difference: tuple[float, float, float]
    ratio: tuple[float, float, float]
    bootstrap: tuple[float, float, float]
    p: float
    effective: tuple[float, float]


def contrast(items: Labelled, measure: str, wanted: Contrast, *, draws: int = DRAWS) -> Contrasted:
    """The group against the reference: Newcombe on effective numbers, log ratio, bootstrap, p."""
    values = items.groups[wanted.dimension]
    kept = (values == wanted.group) | (values == wanted.reference)
    part = _kept(items, kept)
    group = (values[kept] == wanted.reference).astype(np.intp)
    found = rate(part, measure, group, 2)
    one, effective = found.by_prompt.rate, found.by_prompt.effective
    sides = [_side(one, place) for place in range(2)]
    apart = rates.apart(*sides)
    hits = np.nan_to_num(one.value) * effective
    ratio = rates.ratio(hits[:1], effective[:1], hits[1:], effective[1:])
    error = np.hypot(found.error[:1], found.error[1:])
    p = power.two_sided_p(apart.value, np.nan_to_num(error))
    is_hit, is_counted = part.measure(measure)
    drawn = cluster_bootstrap.bootstrap(
        is_hit=is_hit,
        weight=part.weight * is_counted,
        group=group,
        groups=2,
        cluster=part.prompt,
        seed=SEED,
        draws=draws,
    )
    name = f"{title(wanted.group)} against {title(wanted.reference)}"
    return Contrasted(
        measure,
        name,
        apart[0],
        ratio[0],
        drawn.differences(1)[0],
        float(p[0]),
        (float(effective[0]), float(effective[1])),
    )


def _side(both: Estimates, place: int) -> Estimates:
    return Estimates(*(each[place : place + 1] for each in (both.value, both.low, both.high)))


def _kept(items: Labelled, kept: Flags) -> Labelled:
    return Labelled(
        {name: values[kept] for name, values in items.groups.items()},
        items.is_flagged[kept],
        items.is_violating[kept],
        items.score[kept],
        items.weight[kept],
        items.prompt[kept],
        items.owner[kept],
    )


COLUMNS: Sequence[tuple[str, str, Kind]] = (
    ("measure", "Measure", "text"),
    ("contrast", "Contrast", "text"),
    ("standing", "What may be said", "text"),
    ("effective", "Effective n", "number"),
    ("effective_reference", "Effective n of the reference", "number"),
    ("difference", "Difference", "difference"),
    ("low", "from", "difference"),
    ("high", "to", "difference"),
    ("low_bootstrap", "from, bootstrap", "difference"),
    ("high_bootstrap", "to, bootstrap", "difference"),
    ("ratio", "Ratio", "ratio"),
    ("ratio_low", "from", "ratio"),
    ("ratio_high", "to", "ratio"),
    ("p", "p", "p"),
    ("p_adjusted", "Holm p", "p"),
)


def primary(
    items: Labelled, *, margin: float
) -> tuple[Table, list[ContrastVerdict], tuple[Forest, ...]]:
    """All primary contrasts, adjusted together, and what may be said of each."""
    found = [contrast(items, measure, each) for measure in ERROR_RATES for each in PRIMARY]
    family = multiple_comparisons.holm([each.p for each in found])
    lowest = np.array([min(each.effective) for each in found])
    lacking = power.missing(lowest, reference=PLANNED[0], difference=PLANNED[1])
    joined = Estimates(*(np.array([each.difference[i] for each in found]) for i in range(3)))
    said = multiple_comparisons.standings(
        joined, family.adjusted, margin=margin, is_enough=lacking == 0
    )
    rows = [
        (
            each.measure,
            each.name,
            f"{INSUFFICIENT}: {lacking[place]} more effective labels needed"
            if said[place] == "insufficient"
            else said[place],
            *each.effective,
            *each.difference,
            *each.bootstrap[1:],
            *each.ratio,
            each.p,
            family.adjusted[place],
        )
        for place, each in enumerate(found)
    ]
    verdicts = [
        ContrastVerdict(
            each.measure,
            each.name,
            said[place],
            each.difference,
            float(family.adjusted[place]),
            0,
            int(lacking[place]),
        )
        for place, each in enumerate(found)
    ]
    made = table("primary", "Primary contrasts", COLUMNS, rows, note=_note(family.size, margin))
    return made, verdicts, _forests(found)


def _note(size: int, margin: float) -> str:
    return (
        f"Family of {size} tests, set beforehand, Holm's method. Differences by Newcombe's method "
        f"on effective numbers; beside it the cluster bootstrap by prompt, {DRAWS} draws. Ratios "
        f"by the adjusted log interval. Equivalent: inside {margin * 100:g} points."
    )


def _forests(found: Sequence[Contrasted]) -> tuple[Forest, ...]:
    def points(side: str) -> tuple[tuple[str, float | None, float | None, float | None], ...]:
        triples = [getattr(each, side) for each in found]
        labels = [f"{each.measure}: {each.name}" for each in found]
        return tuple(
            (label, number(value), number(low), number(high))
            for label, (value, low, high) in zip(labels, triples, strict=True)
        )

    return (
        Forest("differences", "Differences", 0.0, False, points("difference"), "difference"),
        Forest("ratios", "Ratios", 1.0, True, points("ratio"), "ratio"),
    )


def naive_table(items: Labelled) -> Table:
    """What labels of flagged items alone would say, beside the estimate: a different quantity."""
    labels, group = grouped(items, "gender")
    fpr = rate(items, "false positive", group, len(labels)).by_prompt
    flagged = np.bincount(group, items.is_flagged, minlength=len(labels))
    wrong = np.bincount(group, items.is_flagged & ~items.is_violating, minlength=len(labels))
    acceptable = np.bincount(group, ~items.is_violating, minlength=len(labels))
    rows = [
        (
            title(str(label)),
            flagged[place],
            *(float(x[place]) for x in (fpr.rate.value, fpr.rate.low, fpr.rate.high)),
            rates.share(wrong[place], acceptable[place]),
            rates.share(wrong[place], flagged[place]),
        )
        for place, label in enumerate(labels)
        if len(group) and np.count_nonzero(group == place) >= MINIMUM_CELL
    ]
    return table(
        "naive",
        "Why flagged items alone are not enough",
        [
            ("group", "Group", "text"),
            ("flagged", "Flagged with a label", "count"),
            ("fpr", "False positive rate, weighted", "rate"),
            ("low", "from", "rate"),
            ("high", "to", "rate"),
            ("unweighted", "Same labels, unweighted", "rate"),
            ("discovery", "Wrong among flagged", "rate"),
        ],
        rows,
        note=(
            "The share that is wrong among flagged items is no false positive rate: it depends on "
            "how much breaks the policy. Unweighted, the sample's own shares pass for the "
            "traffic's. Only the weighted column estimates who is refused by mistake."
        ),
    )
