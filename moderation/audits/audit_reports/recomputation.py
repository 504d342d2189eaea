"""What anybody needs to compute a report of traffic again with nothing of ours: labelled rows, the
frame they were drawn from, totals by group, and the same computation in Python and in R.

Rows carry no picture, prompt, person or time: numbers stand for strata, prompts and owners. Rows
and frame have as many of gender, age and skin tone, whole, as leave no combination of them below
the minimum cell. What cannot be computed from them stands as totals, by the groups that the report
describes. Nothing is drawn at random, so no seed is kept.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from moderation.audits.suites.person_terms import DIMENSIONS
from moderation.audits.tables import traffic_rates
from moderation.audits.tables.traffic_rates import ERROR_RATES, MINIMUM_CELL, Labelled

FOLDER = Path(__file__).parent.parent / "recomputation"
SCRIPTS = ("recompute.py", "recompute.r")
TABLES = ("all", *DIMENSIONS, "gender × skin")
STATED = (DIMENSIONS, ("gender", "skin"), ("gender", "age"), ("gender",))
"""What rows may state, most first. A stratum has a gender, so there are no rows without one."""


def files(items: Labelled) -> dict[str, bytes]:
    """The files that go with a report, by name."""
    frame = items.frame
    stated = next((each for each in STATED if _is_safe(items, each)), ())
    kept = slice(None if stated else 0)
    rows = zip(
        items.stratum[kept],
        *(items.groups[name][kept] for name in stated),
        *(each[kept].astype(int) for each in (items.is_flagged, items.is_violating)),
        items.prompt[kept],
        items.owner[kept],
        strict=True,
    )
    cells = (
        (place, name.partition("/")[0], chance, int(is_flagged), *rest)
        for place, *rest in zip(
            frame.stratum[kept],
            *(frame.groups[name][kept] for name in stated),
            *(each[kept].astype(int) for each in (frame.screenings, frame.drawn, frame.labelled)),
            strict=True,
        )
        for name, chance, is_flagged in (frame.strata[place],)
    )
    return {
        "rows.csv": _csv(("stratum", *stated, "flagged", "violating", "prompt", "owner"), rows),
        "frame.csv": _csv(
            ("stratum", "band", "probability", "flagged", *stated)
            + ("screenings", "drawn", "labelled"),
            cells,
        ),
        "totals.csv": _csv(
            ("dimension", "group", "labels", "measure", "side", "sum", "variance", "one_more"),
            _totals(items, stated),
        ),
        **{name: (FOLDER / name).read_bytes() for name in SCRIPTS},
    }


def _is_safe(items: Labelled, stated: tuple[str, ...]) -> bool:
    """Whether each combination of groups has the minimum cell of rows, or none, and the frame of
    screenings and of labels.
    """
    frame = items.frame
    of_rows, of_frame = (
        traffic_rates.joined(groups, " × ".join(stated), count)
        for groups, count in ((items.groups, len(items.weight)), (frame.groups, len(frame.stratum)))
    )
    _, rows = np.unique(of_rows, return_counts=True)
    cells, cell = np.unique(of_frame, return_inverse=True)
    counts = (np.bincount(cell, each) for each in (frame.screenings, frame.labelled))
    return all(not np.any((each > 0) & (each < MINIMUM_CELL)) for each in (rows, *counts))


def _totals(items: Labelled, stated: tuple[str, ...]) -> Iterator[tuple[object, ...]]:
    """Both totals of each measure, of the groups described in tables that rows do not give."""
    for dimension in TABLES:
        names = () if dimension == "all" else dimension.split(" × ")
        if stated and set(names) <= set(stated):
            continue
        for measure in (*ERROR_RATES, "precision"):
            found = traffic_rates.rate(items, measure, dimension)
            for place in np.flatnonzero(found.counts >= MINIMUM_CELL):
                for side, total in (("errors", found.part), ("rest", found.rest)):
                    figures = (total.sum, total.variance, total.one_more)
                    yield (
                        *(dimension, found.labels[place], int(found.counts[place]), measure, side),
                        *(repr(float(each[place])) for each in figures),
                    )


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue().encode()
