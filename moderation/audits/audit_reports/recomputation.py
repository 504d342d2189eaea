"""What anybody needs to compute a report of traffic again with nothing of ours: the labelled rows,
the frame they were drawn from, and the same computation in Python and in R.

Rows carry no picture, prompt, person or time: numbers stand for strata, prompts and owners, and a
group that the report does not describe is "withheld". Nothing is drawn at random, so no seed is
kept; the design stands in report.json and, as probabilities, in frame.csv.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from moderation.audits.suites.person_terms import DIMENSIONS
from moderation.audits.tables.traffic_rates import MINIMUM_CELL, Labelled, Names

FOLDER = Path(__file__).parent.parent / "recomputation"
SCRIPTS = ("recompute.py", "recompute.r")
WITHHELD = "withheld"


def files(items: Labelled) -> dict[str, bytes]:
    """The files that go with a report, by name."""
    frame = items.frame
    described = {name: _described(items.groups[name]) for name in DIMENSIONS}
    rows = zip(
        items.stratum,
        *(_shown(items.groups[name], described[name]) for name in DIMENSIONS),
        items.is_flagged.astype(int),
        items.is_violating.astype(int),
        items.prompt,
        items.owner,
        strict=True,
    )
    cells = (
        (place, name, chance, int(is_flagged), *rest)
        for place, *rest in zip(
            frame.stratum,
            *(_shown(frame.groups[name], described[name]) for name in DIMENSIONS),
            *(each.astype(int) for each in (frame.screenings, frame.drawn, frame.labelled)),
            strict=True,
        )
        for name, chance, is_flagged in (frame.strata[place],)
    )
    return {
        "rows.csv": _csv(("stratum", *DIMENSIONS, "flagged", "violating", "prompt", "owner"), rows),
        "frame.csv": _csv(
            ("stratum", "name", "probability", "flagged", *DIMENSIONS)
            + ("screenings", "drawn", "labelled"),
            cells,
        ),
        **{name: (FOLDER / name).read_bytes() for name in SCRIPTS},
    }


def _described(groups: Names) -> Names:
    labels, counts = np.unique(groups, return_counts=True)
    return labels[counts >= MINIMUM_CELL]


def _shown(groups: Names, described: Names) -> Names:
    return np.where(np.isin(groups, described), groups, WITHHELD)


def _csv(head: Iterable[str], rows: Iterable[Iterable[Any]]) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([head, *rows])
    return out.getvalue().encode()
