"""Stored screenings and labels as arrays and counts: the database counts, numpy estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.db import connection
from numpy.typing import NDArray
from psycopg import sql

from moderation.audits.suites.person_terms import DIMENSIONS, TITLES
from moderation.audits.tables.traffic_rates import Frame, Labelled

GROUPS = tuple(TITLES)
NOTHING: Mapping[str, float] = {}
_ROW = np.dtype([("score", ">f8"), ("group", ">i2")])


@dataclass(frozen=True, slots=True)
class Window:
    """Screenings of one stage from the start of `first` to the end of `last`, in UTC; of one
    project, if any is named."""

    stage: str
    first: date
    last: date
    project: UUID | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        start = datetime.combine(self.first, time(), UTC)
        return start, datetime.combine(self.last, time(), UTC) + timedelta(days=1)

    def parameters(self) -> list[Any]:
        return [self.stage, *self.bounds, self.project, self.project]


_WHERE = (
    "f.stage = %s AND f.screened_at >= %s AND f.screened_at < %s"
    " AND (%s::uuid IS NULL OR f.project_id = %s::uuid)"
)
_LABELLED = f"""
SELECT f.gender, f.age, f.skin, f.is_flagged, l.truth, f.score / NULLIF(f.threshold, 0),
    f.inclusion_probability, f.prompt_cluster, f.owner_cluster,
    CASE WHEN {{held_anyway}} THEN 'Infinity'
        ELSE COALESCE((f.scores ->> %s)::float8, 0) END, f.sampling_stratum
FROM audits_frameentry f
JOIN (SELECT DISTINCT ON (entry_id) entry_id, truth FROM audits_label WHERE is_blind
      ORDER BY entry_id, id) l ON l.entry_id = f.screening_id
WHERE {_WHERE} AND f.is_sampled
ORDER BY f.screening_id
"""
_HISTOGRAM = f"""
SELECT f.gender, width_bucket(LEAST(f.score / NULLIF(f.threshold, 0), 0.9999), 0, 1, 50), count(*)
FROM audits_frameentry f WHERE {_WHERE} GROUP BY 1, 2 ORDER BY 1, 2
"""
_DOUBLES = f"""
SELECT (array_agg(l.truth ORDER BY l.id))[1], (array_agg(l.truth ORDER BY l.id))[2]
FROM audits_label l JOIN audits_frameentry f ON f.screening_id = l.entry_id
WHERE {_WHERE} AND l.is_blind GROUP BY l.entry_id HAVING count(*) >= 2 ORDER BY l.entry_id
"""
_FRAME = f"""
SELECT f.sampling_stratum, f.inclusion_probability, f.is_flagged, f.gender, f.age, f.skin, count(*),
    count(*) FILTER (WHERE f.is_sampled), count(l.entry_id)
FROM audits_frameentry f
LEFT JOIN (SELECT DISTINCT entry_id FROM audits_label WHERE is_blind) l
    ON l.entry_id = f.screening_id AND f.is_sampled
WHERE {_WHERE} GROUP BY 1, 2, 3, 4, 5, 6 ORDER BY 1, 2, 3, 4, 5, 6
"""
_VERSIONS = f"""
SELECT f.policy_version, f.model_version, count(*) FROM audits_frameentry f
WHERE {_WHERE} GROUP BY 1, 2 ORDER BY 1, 2
"""
_SCORES = """
SELECT string_agg(
    float8send(CASE WHEN {held_anyway} THEN 'Infinity'::float8
               WHEN f.category = {category} THEN f.score
               ELSE (f.scores ->> {category})::float8 END)
    || int2send(COALESCE(array_position({groups}::text[], f.{dimension}), {unstated})::int2), '')
FROM audits_frameentry f WHERE f.stage = {stage} AND f.screened_at >= {start}
AND f.screened_at < {end} AND ({project}::uuid IS NULL OR f.project_id = {project}::uuid)
AND (f.category = {category} OR f.scores ? {category})
"""


def histogram(window: Window) -> list[tuple[str, int, int]]:
    """Screenings by gender and fiftieth of the threshold."""
    return _rows(_HISTOGRAM, window)


def versions(window: Window) -> list[tuple[str, str, int]]:
    """Pairs of policy and classifier that screened in the window, and how much each did."""
    return _rows(_VERSIONS, window)


def frame_of(window: Window) -> Frame:
    """Screenings, drawn and labelled ones by stratum, recorded probability and stated groups."""
    rows = _rows(_FRAME, window)
    *keys, screened, drawn, labelled_ = zip(*rows, strict=True) if rows else [()] * 9
    strata, stratum = _numbered(list(zip(*keys[:3], strict=True)))
    return Frame(
        strata=tuple(strata),
        stratum=stratum,
        groups=_groups(keys[3:6]),
        screenings=np.array(screened, dtype=np.float64),
        drawn=np.array(drawn, dtype=np.float64),
        labelled=np.array(labelled_, dtype=np.float64),
    )


def _numbered(keys: list[Any]) -> tuple[list[Any], NDArray[np.intp]]:
    known = sorted(set(keys))
    places = {key: place for place, key in enumerate(known)}
    return known, np.array([places[key] for key in keys], dtype=np.intp)


def _groups(columns: Sequence[Sequence[str]]) -> dict[str, NDArray[np.str_]]:
    return {
        name: np.array(column, dtype=np.str_)
        for name, column in zip(DIMENSIONS, columns, strict=True)
    }


def doubles(window: Window) -> list[tuple[str, str]]:
    """First and second label of what two reviewers labelled independently."""
    return _rows(_DOUBLES, window)


def labelled(
    window: Window, *, category: str = "", holds: Mapping[str, float] = NOTHING
) -> tuple[Labelled, int]:
    """Items with a clear first label, and how many were left out as unclear.

    With a `category` the scores are that category's own, else parts of the nearest threshold; an
    infinite one is of an item that another category holds anyway, from the scores in `holds` on.
    A label weighs 1 / probability, times drawn / labelled of its stratum: what was held is answered
    sooner than what passed, and must not count for more because of it.
    """
    statement = sql.SQL(_LABELLED).format(held_anyway=_held_anyway(holds))
    rows = _rows(statement, window, category)
    unclear = sum(1 for row in rows if row[4] == "unclear")
    rows = [row for row in rows if row[4] != "unclear"]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 11
    frame = frame_of(window)
    places = {key: place for place, key in enumerate(frame.strata)}
    strata = zip(columns[10], columns[6], columns[3], strict=True)
    stratum = np.array([places[key] for key in strata], dtype=np.intp)
    return (
        Labelled(
            groups=_groups(columns[:3]),
            is_flagged=np.array(columns[3], dtype=np.bool_),
            is_violating=np.array([truth == "violates" for truth in columns[4]], dtype=np.bool_),
            score=np.array(columns[9] if category else columns[5], dtype=np.float64),
            stratum=stratum,
            weight=frame.weight()[stratum],
            prompt=_places(columns[7]),
            owner=_places(columns[8]),
            frame=frame,
        ),
        unclear,
    )


def _places(clusters: Sequence[int]) -> NDArray[np.intp]:
    _, places = np.unique(np.array(clusters, dtype=np.int64), return_inverse=True)
    return places.astype(np.intp)


def scores(
    window: Window, *, category: str, dimension: str, holds: Mapping[str, float] = NOTHING
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Every stored score of a category, and the index of its group in GROUPS; infinite where
    another category holds the item anyway, from the scores in `holds` on.

    The database packs them into one value: a message a row would be most of the time.
    """
    start, end = window.bounds
    statement = sql.SQL(_SCORES).format(
        category=sql.Literal(category),
        held_anyway=_held_anyway(holds),
        groups=sql.Literal(list(GROUPS)),
        unstated=sql.Literal(GROUPS.index("") + 1),
        dimension=sql.Identifier(dimension),
        stage=sql.Literal(window.stage),
        start=sql.Literal(start),
        end=sql.Literal(end),
        project=sql.Literal(window.project),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement)
        [packed] = cursor.fetchone()
    rows = np.frombuffer(packed or b"", dtype=_ROW)
    return rows["score"].astype(np.float64), rows["group"].astype(np.intp) - 1


def _held_anyway(holds: Mapping[str, float]) -> sql.Composable:
    """Spelled out a category: a subquery over the scores would cost more than the whole replay."""
    if not holds:
        return sql.SQL("FALSE")
    reached = [
        sql.SQL("(f.scores ->> {})::float8 >= {}").format(sql.Literal(name), sql.Literal(hold))
        for name, hold in holds.items()
    ]
    return sql.SQL("f.is_flagged AND ({})").format(sql.SQL(" OR ").join(reached))


def _rows(statement: str | sql.Composable, window: Window, *before: str) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(statement, [*before, *window.parameters()])
        rows: list[Any] = cursor.fetchall()
    return rows
