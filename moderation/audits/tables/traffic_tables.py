"""Rates on real traffic from labels drawn with known probabilities, by group. Nothing of Django."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from moderation.audits.statistics import multiple_comparisons, power, rates, stratified
from moderation.audits.statistics.rates import Estimates
from moderation.audits.statistics.stratified import Index
from moderation.audits.suites.counterfactuals import Contrast
from moderation.audits.suites.person_terms import DIMENSIONS, title
from moderation.audits.tables import traffic_rates
from moderation.audits.tables.audit_report import INSUFFICIENT, Forest, Kind, Table, number, table
from moderation.audits.tables.contrasts import ContrastVerdict
from moderation.audits.tables.traffic_rates import (
    ERROR_RATES,
    MINIMUM_CELL,
    MINIMUM_ERRORS,
    PLANNED,
    Labelled,
    Measure,
    Rates,
)

PRIMARY = (Contrast("gender", "woman", "man"), Contrast("skin", "dark", "light"))
Flags = NDArray[np.bool_]

RATES: Sequence[tuple[str, str, Kind]] = (
    ("dimension", "Dimension", "text"),
    ("group", "Group", "text"),
    ("labels", "Labels", "count"),
    ("effective", "Effective n, FPR", "number"),
    ("effective_fnr", "Effective n, FNR", "number"),
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
)


def rates_table(items: Labelled) -> Table:
    """Weighted confusion matrix and rates of every group of every dimension."""
    rows = [row for dimension in ("all", *DIMENSIONS) for row in _rows(items, dimension)]
    rows += list(_rows(items, "gender × skin"))
    return table(
        "rates",
        "Estimated rates by group",
        RATES,
        rows,
        note=(
            "Each label stands for screened / labelled of its stratum and group. Labels called "
            "“unclear” stand for their part and are in none of TP to TN, which so add up to what "
            "was screened without that part. A rate is a share of two totals; its 95 % interval "
            "comes from their gamma distributions, mid-p, each with one item more of the largest "
            "weight: a stratum without an error adds what it may hide (Fay and Feuer). Prompts "
            "or owners are clusters, whichever adds more. No FNR is printed where no missed item "
            "was found, only its interval. Enough: as many effective "
            "items as are needed to find, with 80 % power, "
            + ", ".join(
                f"{(low + more) * 100:g} % against {low * 100:g} % ({power.needed(low, more)}) for "
                f"the {measure} rate"
                for measure, (low, more) in PLANNED.items()
            )
            + f". Groups with fewer than {MINIMUM_CELL} labels are counted and not described."
        ),
    )


def grouped(items: Labelled, dimension: str) -> tuple[NDArray[np.str_], Index]:
    """Labels of the groups, and each item's index among them."""
    labels, group = np.unique(
        traffic_rates.joined(items.groups, dimension, len(items.weight)), return_inverse=True
    )
    return labels, group.astype(np.intp)


def _rows(items: Labelled, dimension: str) -> Iterator[tuple[object, ...]]:
    labels, group = grouped(items, dimension)
    fpr, fnr, precision = (
        traffic_rates.rate(items, measure, dimension) for measure in (*ERROR_RATES, "precision")
    )
    labelled = np.bincount(group, minlength=len(labels))
    for place, label in enumerate(labels):
        said = " × ".join(title(part) for part in str(label).split(" × "))
        if labelled[place] < MINIMUM_CELL:
            hidden = [None] * 15
            yield (dimension, said, labelled[place], *hidden, *["below the minimum cell"] * 2)
            continue
        yield (
            dimension,
            said,
            labelled[place],
            fpr.effective[place],
            fnr.effective[place],
            fnr.rest.sum[place],
            fpr.part.sum[place],
            fnr.part.sum[place],
            fpr.rest.sum[place],
            *fpr.rate[place],
            *_shown(fnr, place),
            *precision.rate[place],
            *(enough(each.lacking[place]) for each in (fpr, fnr)),
        )


def _shown(found: Rates, place: int) -> tuple[float, float, float]:
    """No estimate where no error was found: the interval says what may be hidden."""
    value, low, high = found.rate[place]
    return (value if found.part.sum[place] > 0 else float("nan")), low, high


def enough(lacking: str) -> str:
    """Whether the planned difference could be found, and what lacks."""
    return f"{INSUFFICIENT}: {lacking}" if lacking else "enough"


@dataclass(frozen=True, slots=True)
class Contrasted:
    """One primary contrast of one measure; NaN where a side has nothing."""

    measure: str
    name: str
    difference: tuple[float, float, float]
    ratio: tuple[float, float, float]
    p: float
    effective: tuple[float, float]
    errors: float
    lacking: str


def contrasts(items: Labelled, measure: Measure, wanted: Sequence[Contrast]) -> list[Contrasted]:
    """Each group against its reference."""
    found = {
        name: traffic_rates.rate(items, measure, name)
        for name in dict.fromkeys(each.dimension for each in wanted)
    }
    return [_contrast(found[each.dimension], measure, each) for each in wanted]


def _contrast(found: Rates, measure: Measure, wanted: Contrast) -> Contrasted:
    name = f"{title(wanted.group)} against {title(wanted.reference)}"
    one, reference = (found.place(label) for label in (wanted.group, wanted.reference))
    if one is None or reference is None:
        none = (float("nan"),) * 3
        absent = title(wanted.group if one is None else wanted.reference).lower()
        lacking = f"fewer than {MINIMUM_CELL} labels of the group {absent}"
        return Contrasted(measure, name, none, none, float("nan"), (0.0, 0.0), 0.0, lacking)
    sides = [(found.part[[place]], found.rest[[place]]) for place in (one, reference)]
    each, other = (stratified.interval(*side) for side in sides)
    return Contrasted(
        measure,
        name,
        rates.apart(each, other)[0],
        stratified.ratio(each, other)[0],
        float(stratified.p_of_difference(*sides[0], *sides[1])[0]),
        (float(found.effective[one]), float(found.effective[reference])),
        float(sum(part.items()[0] for part, _ in sides)),
        "; ".join(
            dict.fromkeys(said for said in (found.lacking[one], found.lacking[reference]) if said)
        ),
    )


COLUMNS: Sequence[tuple[str, str, Kind]] = (
    ("measure", "Measure", "text"),
    ("contrast", "Contrast", "text"),
    ("standing", "What may be said", "text"),
    ("errors", "Effective errors", "number"),
    ("effective", "Effective n", "number"),
    ("effective_reference", "Effective n of the reference", "number"),
    ("difference", "Difference", "difference"),
    ("low", "from", "difference"),
    ("high", "to", "difference"),
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
    found = [each for measure in ERROR_RATES for each in contrasts(items, measure, PRIMARY)]
    family = multiple_comparisons.holm([each.p for each in found])
    errors = np.array([each.errors for each in found])
    joined = Estimates(*(np.array([each.difference[i] for each in found]) for i in range(3)))
    said = multiple_comparisons.standings(
        joined,
        family.adjusted,
        margin=margin,
        is_enough=np.array([not each.lacking for each in found]),
        has_errors=errors >= MINIMUM_ERRORS,
    )
    lacking = [_needed(each) for each in found]
    rows = [
        (
            each.measure,
            each.name,
            f"{INSUFFICIENT}: {lacking[place]}" if said[place] == "insufficient" else said[place],
            each.errors,
            *each.effective,
            *each.difference,
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
            lacking[place],
        )
        for place, each in enumerate(found)
    ]
    made = table("primary", "Primary contrasts", COLUMNS, rows, note=_note(family.size, margin))
    return made, verdicts, _forests(found)


def _needed(found: Contrasted) -> str:
    """What a contrast lacks: labels of a stratum, or errors to speak of."""
    return found.lacking or f"fewer than {MINIMUM_ERRORS} independent errors were found"


def _note(size: int, margin: float) -> str:
    return (
        f"Family of {size} tests, set beforehand, Holm's method. Differences join the intervals of "
        "the two rates by Newcombe's method, ratios by Donner and Zou's; p is the level at which "
        f"the difference's interval leaves nought out. No disparity on fewer than {MINIMUM_ERRORS} "
        f"effective errors of both groups together. Equivalent: inside {margin * 100:g} points."
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
    fpr = traffic_rates.rate(items, "false positive", "gender")
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
