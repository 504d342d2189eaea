"""A house as it is after months: its large tables are filled with copies of one row, in the
database itself. `ROWS=300000 pytest tests/generation/test_plans.py -s` prints what each query takes
at another size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from django.contrib.auth.models import User
from django.db import connection, models

from adapters.models import BaseModel
from generation.models import IdempotencyKey, RequestStatus
from tests.factories import NOON, make_image, make_request

ROWS = int(os.environ.get("ROWS", "20000"))
_EXPLAINABLE = ("SELECT", "UPDATE", "DELETE", "INSERT")
LARGE = ("generation_generationrequest", "generation_generatedimage", "generation_idempotencykey")
# Copies of one row, one a minute before the last; `said` are their other columns, as JSON.
_COPY = """
    INSERT INTO {table}
    SELECT made.* FROM {table} AS row, generate_series(1, %s) AS n,
        LATERAL jsonb_populate_record(row, {said}) AS made
    WHERE row.id = %s
"""
_AGES = """
    'id', gen_random_uuid(), 'created_at', row.created_at - n * interval '1 minute',
    'queued_at', row.created_at - n * interval '1 minute',
    'started_at', row.created_at - n * interval '1 minute',
    'ended_at', row.created_at - n * interval '1 minute'
"""


def fill(owner: User, model: BaseModel) -> None:
    """Ended requests of that owner and their images, a minute apart, up to NOON."""
    ended = make_request(owner, model, status=RequestStatus.FINISHED, device_ms=900)
    image = make_image(owner, model, request=ended)
    with connection.cursor() as cursor:
        cursor.execute(
            _COPY.format(table=LARGE[0], said=f"jsonb_build_object({_AGES})"), [ROWS, ended.id]
        )
        said = f"jsonb_build_object({_AGES}, 'index', n)"  # of one request, with a place for each
        cursor.execute(_COPY.format(table=LARGE[1], said=said), [min(ROWS, 32_000), image.id])
    IdempotencyKey.objects.bulk_create(
        IdempotencyKey(
            owner=owner, project=ended.project, key=str(n), request=ended, created_at=NOON
        )
        for n in range(5000)
    )
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {', '.join(LARGE)}")


@dataclass
class Plans:
    """What PostgreSQL does for each query on the large tables, and how long it took."""

    read_whole: list[str] = field(default_factory=list)
    took: list[tuple[float, str]] = field(default_factory=list)


@contextmanager
def explained(tables: Sequence[str] = LARGE) -> Iterator[Plans]:
    """Every query inside is explained before it is done; of `tables` those that are read whole are
    told.

    A page costs as much wherever it lies, as on an SSD: rows lie where earlier tests left room.
    """
    plans = Plans()
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL random_page_cost = 1.1")

    def explain(
        execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any
    ) -> Any:
        if sql.lstrip().startswith(_EXPLAINABLE) and not many:
            cursor = context["cursor"]
            execute(f"EXPLAIN {sql}", params, many, context)
            plan = "\n".join(line for (line,) in cursor.fetchall())
            if any(f"Seq Scan on {table}" in plan for table in tables):
                plans.read_whole.append(f"{sql}\n{plan}")
        started = perf_counter()
        try:
            return execute(sql, params, many, context)
        finally:
            plans.took.append((perf_counter() - started, sql[:200]))

    with connection.execute_wrapper(explain):
        yield plans


def rows_of(model: type[models.Model]) -> int:
    """For a test to know that there was something to read."""
    return model._default_manager.count()
