"""Tables on the reviewers: how far two agree, and what their errors could do to the estimates."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from moderation.audits.statistics import agreement
from moderation.audits.statistics.rates import share
from moderation.audits.suites.person_terms import title
from moderation.audits.tables.audit_report import Table, table
from moderation.audits.tables.traffic_rates import MINIMUM_CELL, Labelled
from moderation.audits.tables.traffic_tables import grouped

TRUTHS = ("acceptable", "unclear", "violates")


def agreement_table(doubles: Sequence[tuple[str, str]]) -> Table:
    """Kappa and alpha of the items that two reviewers labelled blind."""
    places = {truth: place for place, truth in enumerate(TRUTHS)}
    ratings = np.array([[places[a], places[b]] for a, b in doubles], dtype=np.int64)
    ratings = ratings.reshape(len(doubles), 2).T
    counts = np.zeros((3, 3))
    np.add.at(counts, (ratings[0], ratings[1]), 1)
    same = share(np.trace(counts), counts.sum())
    rows = [
        ("Share that agrees", len(doubles), float(same), None, None),
        ("Cohen's kappa", len(doubles), *agreement.kappa(counts)[0]),
        ("Krippendorff's alpha", len(doubles), *agreement.alpha(ratings)[0]),
    ]
    return table(
        "agreement",
        "Agreement of two blind reviewers",
        [
            ("figure", "Figure", "text"),
            ("items", "Items with two labels", "count"),
            ("value", "Value", "number"),
            ("low", "from", "number"),
            ("high", "to", "number"),
        ],
        rows,
        note=(
            "Nominal: acceptable, violates, unclear. Kappa and alpha have no value where all "
            "labels are alike, for chance explains that too; no interval with fewer than "
            f"{agreement.FEWEST} items outside the commonest pair of labels. Intervals are "
            "symmetric in log(1 - kappa), with two thirds of a pair added."
        ),
    )


def error_of(doubles: Sequence[tuple[str, str]]) -> float:
    """Error rate of one reviewer if both err alike and independently: agree = 1 - 2 e (1 - e)."""
    clear = [(a, b) for a, b in doubles if "unclear" not in (a, b)]
    if not clear:
        return float("nan")
    disagree = sum(a != b for a, b in clear) / len(clear)
    return (1 - math.sqrt(1 - 2 * min(disagree, 0.5))) / 2


def sensitivity_table(items: Labelled, doubles: Sequence[tuple[str, str]]) -> Table:
    """Share that violates by group, as labelled and with the reviewers' error taken out."""
    labels, group = grouped(items, "gender")
    total = np.bincount(group, items.weight, minlength=len(labels))
    violating = np.bincount(group, items.weight * items.is_violating, minlength=len(labels))
    seen, error = share(violating, total), error_of(doubles)
    adjusted = agreement.rogan_gladen(seen, sensitivity=1 - error, specificity=1 - error)
    many = np.bincount(group, minlength=len(labels)) >= MINIMUM_CELL
    rows = [
        (title(str(label)), seen[place], adjusted[place], error)
        for place, label in enumerate(labels)
        if many[place]
    ]
    return table(
        "sensitivity",
        "If reviewers err: share that breaks the policy",
        [
            ("group", "Group", "text"),
            ("seen", "As labelled, weighted", "rate"),
            ("adjusted", "Rogan-Gladen", "rate"),
            ("error", "Error of one reviewer", "rate"),
        ],
        rows,
        note=(
            "A sensitivity analysis, not a finding: the error follows from how often two reviewers "
            "disagree, if both err alike, independently and in both directions."
        ),
    )
