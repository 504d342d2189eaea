"""Recompute the rates and primary contrasts of this audit from rows.csv, frame.csv and totals.csv.

    python3 recompute.py [FOLDER]

Prints table, dimension or measure, group or contrast, column, value; the numbers are those of
report.csv. It needs Python alone. Nothing is drawn at random, so there is no seed. Tables start
from the rows, and from the totals where rows would show a combination of groups with fewer than
10. What the figures are is told in report.json; the method is Fay and Feuer's (1997), mid-p (Fay
and Kim 2017).
"""

from __future__ import annotations

import csv
import math
import sys
from collections import defaultdict
from pathlib import Path

Total = tuple[float, float, float]  # the sum of weights, its variance, and what one more weighs
Sides = tuple[Total, Total]  # the errors, and the rest that the measure counts
Row = dict[str, str]
Cell = tuple[str, str]  # group and stratum
Data = tuple[list[Row], list[Row], list[Row]]  # rows, frame and totals
Groups = dict[str, tuple[int, dict[str, Sides]]]  # labels, and the totals by measure

SMALLEST, FEW, HALVINGS, ALPHA = 10, 5, 50, 0.05
DIMENSIONS: list[list[str]] = [[], ["gender"], ["age"], ["skin"], ["gender", "skin"]]
MEASURES = {  # (flagged, violating) of the errors, and of the rest that the measure counts
    "false positive": ((1, 0), (0, 0)),
    "false negative": ((0, 1), (1, 1)),
    "precision": ((1, 1), (1, 0)),
}
CONTRASTS = [("gender", "woman", "man"), ("skin", "dark", "light")]


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def beta_share(a: float, b: float, x: float) -> float:
    """The regularised incomplete beta function, by Lentz's continued fraction."""
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(b, a, 1 - x)
    front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    front += a * math.log(x) + b * math.log1p(-x) - math.log(a)
    tiny, c = 1e-300, 1.0
    d = 1 / ((1 - (a + b) * x / (a + 1)) or tiny)
    found = d
    for m in range(1, 100000):
        for top in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 / ((1 + top * d) or tiny)
            c = (1 + top / c) or tiny
            found *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return math.exp(front) * found


def more(total: Total) -> Total:
    """What was seen, and one item of the largest weight that was not."""
    return total[0] + total[2], total[1] + total[2] ** 2, total[2]


def below(part: Total, rest: Total, at: float) -> float:
    """Chance that the share of two gammas lies at or below `at`."""
    if part[0] <= 0 or rest[0] <= 0:
        return 0.0 if part[0] > 0 else 1.0
    scale = part[1] * rest[0] / (rest[1] * part[0])
    place = at / (at + (1 - at) * scale)
    return beta_share(part[0] ** 2 / part[1], rest[0] ** 2 / rest[1], place)


def quantile(part: Total, rest: Total, chance: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        found = (below(part, more(rest), middle) + below(more(part), rest, middle)) / 2
        low, high = (middle, high) if found < chance else (low, middle)
    return low


def interval(part: Total, rest: Total) -> tuple[float, float, float]:
    whole = part[0] + rest[0]
    value = part[0] / whole if whole > 0 else math.nan
    return value, quantile(part, rest, ALPHA / 2), 1 - quantile(rest, part, ALPHA / 2)


def effective(part: Total, rest: Total) -> float:
    """The independent items that would give the same standard error of the rate's odds."""
    if part[0] + rest[0] <= 0:
        return 0.0
    sums = [each[0] if each[0] > 0 else more(each)[0] for each in (part, rest)]
    if min(sums) <= 0:
        return 0.0
    spread = sum(more(each)[1] / held**2 for each, held in zip((part, rest), sums, strict=True))
    rate = sums[0] / sum(sums)
    return 1 / (rate * (1 - rate) * spread)


def joined(row: Row, names: list[str]) -> str:
    return " × ".join(row[name] for name in names) if names else "all"


def weights(
    frame: list[Row], names: list[str]
) -> tuple[dict[Cell, float], dict[Cell, float], dict[str, int]]:
    """By stratum and group: what a label weighs, and what an unseen item could at most."""
    whole: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0, 0.0])
    cells: dict[Cell, list[float]] = defaultdict(lambda: [0.0, 0.0])
    chance: dict[str, float] = {}
    flagged: dict[str, int] = {}
    for each in frame:
        stratum = each["stratum"]
        counts = [float(each[name]) for name in ("screenings", "drawn", "labelled")]
        chance[stratum], flagged[stratum] = float(each["probability"]), int(each["flagged"])
        whole[stratum] = [a + b for a, b in zip(whole[stratum], counts, strict=True)]
        cell = cells[joined(each, names), stratum]
        cell[0] += counts[0]
        cell[1] += counts[2]
    general = {
        key: drawn / labelled / chance[key] if labelled and chance[key] else math.inf
        for key, (_, drawn, labelled) in whole.items()
    }
    weight = {
        (group, stratum): screened / labelled if labelled >= FEW else general[stratum]
        for (group, stratum), (screened, labelled) in cells.items()
    }
    unseen = {key: min(weight[key], cells[key][0]) for key in cells}
    return weight, unseen, flagged


def groups_of(data: Data, names: list[str]) -> Groups:
    """From the totals where they stand there, else from the rows where these state the names."""
    rows, frame, totals = data
    found: Groups = {}
    own = [row for row in totals if row["dimension"] == (" × ".join(names) or "all")]
    for one, other in zip(own[::2], own[1::2], strict=True):
        part, rest = (
            (float(row["sum"]), float(row["variance"]), float(row["one_more"]))
            for row in (one, other)
        )
        _, sides = found.setdefault(one["group"], (int(one["labels"]), {}))
        sides[one["measure"]] = part, rest
    is_stated = bool(rows) and set(names) <= set(rows[0])
    return found or (rates(rows, frame, names) if is_stated else {})


def rates(rows: list[Row], frame: list[Row], names: list[str]) -> Groups:
    """By group: the number of labels, and by measure the two totals with their one item more."""
    weight, unseen, flagged = weights(frame, names)
    by_group: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_group[joined(row, names)].append(row)
    found = {}
    for group, own in sorted(by_group.items()):
        held = {stratum: weight[group, stratum] for stratum in {row["stratum"] for row in own}}
        hidden = [0.0, 0.0]
        for (name, stratum), most in unseen.items():
            if name == group:
                hidden[flagged[stratum]] = max(hidden[flagged[stratum]], most)
        sides = {}
        for measure, (errors, others) in MEASURES.items():
            is_known = measure != "precision"
            part = total(own, held, errors, hidden[errors[0]], is_known)
            sides[measure] = part, total(own, held, others, hidden[others[0]], is_known)
        found[group] = len(own), sides
    return found


def total(
    rows: list[Row],
    weight: dict[str, float],
    kind: tuple[int, int],
    one_more: float,
    is_known: bool,
) -> Total:
    """Sum of the weights of a group's rows of a kind, its variance, and one item more."""
    labels: dict[str, int] = defaultdict(int)
    hits: dict[str, int] = defaultdict(int)
    kept = [row for row in rows if (int(row["flagged"]), int(row["violating"])) == kind]
    for row in rows:
        labels[row["stratum"]] += 1
    for row in kept:
        hits[row["stratum"]] += 1
    clusters: dict[str, dict[str, float]] = {
        name: defaultdict(float) for name in ("prompt", "owner")
    }
    sums, alone, variance = [], [], []
    for row in kept:
        w = weight[row["stratum"]]
        p = hits[row["stratum"]] / (labels[row["stratum"]] + 1) if is_known else 0.0
        sums.append(w)
        alone.append(w**2)
        variance.append(w**2 * (1 - p * (1 - min(1, 1 / w))))
        for name, by in clusters.items():
            by[row[name]] += w
    shared = [sum(x**2 for x in by.values()) - sum(alone) for by in clusters.values()]
    return sum(sums), sum(variance) + max(0.0, *shared), one_more


def ratio(
    one: tuple[float, float, float], other: tuple[float, float, float]
) -> tuple[float, float, float]:
    product = one[0] * other[0]
    low = [one[1] * (2 * one[0] - one[1]), other[2] * (2 * other[0] - other[2])]
    high = [one[2] * (2 * one[0] - one[2]), other[1] * (2 * other[0] - other[1])]
    less, above = (math.sqrt(max(product**2 - a * b, 0)) for a, b in (low, high))
    value = one[0] / other[0] if other[0] > 0 else math.nan
    least = value * 0
    if one[1] > 0:
        least = low[0] / (product + less) if product + less > 0 else math.nan
    return value, least, (product + above) / high[1] if high[1] > 0 else math.nan


def p_of(one: Sides, other: Sides) -> float:
    """The level at which the interval of the difference just leaves nought out."""
    a, b = interval(*one)[0], interval(*other)[0]
    if math.isnan(a - b):
        return math.nan
    if b > a:
        one, other, a, b = other, one, b, a
    low, high = -40.0, 0.0
    for _ in range(HALVINGS // 2):
        middle = (low + high) / 2
        tail = math.exp(middle) / 2
        ends = a - quantile(*one, tail), 1 - quantile(other[1], other[0], tail) - b
        holds = math.hypot(*ends) >= a - b
        low, high = (middle, high) if holds else (low, middle)
    return math.exp(high)


def holm(ps: list[float]) -> list[float]:
    order = sorted((p, place) for place, p in enumerate(ps) if not math.isnan(p))
    adjusted, highest = [math.nan] * len(ps), 0.0
    for rank, (p, place) in enumerate(order):
        highest = max(highest, min(1.0, p * (len(order) - rank)))
        adjusted[place] = highest
    return adjusted


def show(table: str, row: str, group: str, columns: dict[str, float]) -> None:
    for name, value in columns.items():
        said = "" if math.isnan(value) else f"{value:.12g}"
        print(f"{table},{row},{group},{name},{said}")


def print_rates(data: Data) -> None:
    for names in DIMENSIONS:
        dimension = " × ".join(names) or "all"
        for group, (labels, measures) in groups_of(data, names).items():
            if labels < SMALLEST:
                continue
            fpr, fnr, precision = (measures[name] for name in MEASURES)
            columns: dict[str, float] = {
                "labels": labels,
                "effective": effective(*fpr), "effective_fnr": effective(*fnr),
                "true_positive": fnr[1][0], "false_positive": fpr[0][0],
                "false_negative": fnr[0][0], "true_negative": fpr[1][0],
            }  # fmt: skip
            for name, sides in (("fpr", fpr), ("fnr", fnr), ("precision", precision)):
                value, low, high = interval(*sides)
                is_hidden = name == "fnr" and sides[0][0] <= 0
                columns[name] = math.nan if is_hidden else value
                columns[f"{name}_low"], columns[f"{name}_high"] = low, high
            show("rates", dimension, group, columns)


def print_contrasts(data: Data) -> None:
    found: list[tuple[str, str, list[Sides], float]] = []
    for measure in ("false positive", "false negative"):
        for dimension, group, reference in CONTRASTS:
            groups = groups_of(data, [dimension])
            if group in groups and reference in groups:
                sides = [groups[name][1][measure] for name in (group, reference)]
                found.append((measure, f"{group} against {reference}", sides, p_of(*sides)))
    adjusted = holm([each[-1] for each in found])
    for (measure, name, sides, p), holm_p in zip(found, adjusted, strict=True):
        one, other = (interval(*side) for side in sides)
        value = one[0] - other[0]
        low = value - math.hypot(one[0] - one[1], other[2] - other[0])
        high = value + math.hypot(one[2] - one[0], other[0] - other[1])
        over = ratio(one, other)
        errors = sum(part[0] ** 2 / part[1] if part[1] > 0 else 0.0 for part, _ in sides)
        columns = {
            "errors": errors, "effective": effective(*sides[0]),
            "effective_reference": effective(*sides[1]),
            "difference": value, "low": low, "high": high,
            "ratio": over[0], "ratio_low": over[1], "ratio_high": over[2],
            "p": p, "p_adjusted": holm_p,
        }  # fmt: skip
        show("primary", measure, name, columns)


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    read_all = read(folder / "rows.csv"), read(folder / "frame.csv"), read(folder / "totals.csv")
    print_rates(read_all)
    print_contrasts(read_all)
