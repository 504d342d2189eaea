"""A line of thousands in front of a table of years, and how long a claim takes there.

    python -m tests.bench.queue_years [--rows 1000000] [--waiting 20000] [--people 5000]

Prints its table and writes docs/benchmarks/queue.json, unless --tiny. With --alone the measurement,
a few seconds, goes before whatever else the machine does (real-time scheduling, as root).
"""

# ruff: noqa: E402 - the servers must be started before Django

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import Any

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from prometheus_client import generate_latest

from adapters.models import BaseModel
from config.core.projects.models import Project
from config.core.watching.house_gauges import HOUSE
from generation.capacity import current_load
from generation.line import claims
from generation.models import GenerationRequest, RequestStatus
from tests import factories
from tests.bench import report
from tests.bench.report import Row
from tests.factories import NOON
from tests.generation import years

_WAIT = """
    INSERT INTO generation_generationrequest
    SELECT made.* FROM generation_generationrequest AS row,
        (SELECT id, personal_of_id, row_number() OVER (ORDER BY id) AS n
            FROM projects_project WHERE name LIKE 'crowd %%') AS project,
        generate_series(1, %(each)s) AS turn,
        LATERAL jsonb_populate_record(row, jsonb_build_object(
            'id', gen_random_uuid(), 'owner_id', project.personal_of_id, 'project_id', project.id,
            'queued_at', row.queued_at + (turn * 5000 + project.n) * interval '1 millisecond'
        )) AS made
    WHERE row.id = %(row)s
"""
_SHARES = """
    INSERT INTO generation_fairshare (priority, project_id, spent_ms, due_round)
    SELECT %(priority)s, id, 0, 20 FROM projects_project WHERE name LIKE 'crowd %%' ORDER BY id
"""


def crowd(people: int, waiting: int, model: BaseModel) -> None:
    """So many people, each with as many requests in line."""
    users = User.objects.bulk_create(User(username=f"crowd-{n}") for n in range(people))
    now = timezone.now()
    Project.objects.bulk_create(
        Project(name=f"crowd {user.pk}", personal_of=user, created_at=now) for user in users
    )
    first = factories.make_request(users[0], model, created_at=now, predicted_ms=900)
    asked: dict[str, Any] = {"each": waiting // people, "row": first.id, "priority": first.priority}
    with connection.cursor() as cursor:
        cursor.execute(_WAIT, asked)
        cursor.execute("DELETE FROM generation_fairshare")
        cursor.execute(_SHARES, asked)
        cursor.execute("ANALYZE generation_generationrequest, generation_fairshare")


def claim_ms(count: int) -> list[float]:
    """Of one worker that claims again and again."""
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        claim = claims.claim(worker="bench", at=timezone.now())
        took.append((time.perf_counter() - begun) * 1000)
        assert claim is not None
    connection.close()
    return took


def claiming(rounds: int, count: int, workers: int) -> list[float]:
    """95th percentiles, one a round, in milliseconds; several workers claim at once."""
    found = []
    for _ in range(rounds):
        with ThreadPoolExecutor(workers) as pool:
            took = sorted(ms for each in pool.map(claim_ms, [count] * workers) for ms in each)
        found.append(took[int(0.95 * len(took))])
    return found


def timed(act: Callable[[], object], rounds: int) -> list[float]:
    took = []
    for _ in range(rounds):
        begun = time.perf_counter()
        act()
        took.append((time.perf_counter() - begun) * 1000)
    return took


def row(name: str, took: list[float], must: float, aim: float | None, against: str) -> Row:
    return Row(name, median(took), "ms", min(took), max(took), "lower", must, aim, against)


def processes() -> set[int]:
    """This one and all that come of it: the database with its backends."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def schedule(policy: int, priority: int) -> None:
    """All threads of all those processes; children are scheduled as who makes them."""
    for pid in processes():
        for task in Path(f"/proc/{pid}/task").iterdir():
            with suppress(ProcessLookupError):
                os.sched_setscheduler(int(task.name), policy, os.sched_param(priority))


def look() -> list[Row]:
    at_1_m = f"{GenerationRequest.objects.count():,} rows"
    line = GenerationRequest.objects.filter(status=RequestStatus.QUEUED)
    of = line.values("project").distinct().count()
    in_line = f"{line.count():,} wait, of {of:,} people; {at_1_m}"
    claim_ms(50)  # the first ones import and connect
    return [
        row("claim_ms_p95", claiming(5, 100, 1), 5, 2, f"{in_line}; one worker"),
        row("claim_ms_p95_of_4_at_once", claiming(3, 50, 4), 20, None, f"{in_line}; one process"),
        row("capacity_ms", timed(lambda: current_load.look(at=NOON), 5), 100, None, at_1_m),
        row("metrics_ms", timed(lambda: generate_latest(HOUSE), 5), 100, None, at_1_m),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--waiting", type=int, default=20_000)
    parser.add_argument("--people", type=int, default=5_000)
    parser.add_argument("--alone", action="store_true", help="before all other processes")
    parser.add_argument("--tiny", action="store_true", help="write nothing")
    options = parser.parse_args()
    logging.disable(logging.WARNING)
    call_command("migrate", verbosity=0)
    GenerationRequest.objects.all().delete()
    model = factories.make_model()
    years.ROWS = options.rows
    years.fill(User.objects.create_user("of-years"), model)
    crowd(options.people, options.waiting, model)
    if options.alone:
        schedule(os.SCHED_FIFO, 5)
    try:
        rows = look()
    finally:
        if options.alone:
            schedule(os.SCHED_OTHER, 0)
    if options.tiny:
        report.print_table(rows)
    else:
        report.publish("queue", rows)


if __name__ == "__main__":
    main()
