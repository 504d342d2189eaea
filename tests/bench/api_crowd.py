"""The crowd's part of `make bench-api`: accepting with 1,000,000 end users in 10,000 projects.

Requests of one project's key name an end user each, half of them for the first time. p95 of
accepting in an empty house and in a copy of it whose tables were filled, in turns: what else runs
on the machine slows both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from statistics import median, quantiles

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from config.core.projects.calling import END_USER_HEADER
from config.core.projects.models import EndUser, Project
from config.runtime import gc_tuning
from generation.models import GenerationRequest
from tests.bench.report import Row
from tests.factories import make_model
from tests.projects.makers import make_project, project_key

MUST = 1.2
WARM_UP = 20
COPY = "-full"
OWN_SHARE = 10  # one in so many of the end users is of the project that asks


def rows(*, end_users: int, projects: int, count: int, rounds: int) -> list[Row]:
    """The ratio, and both times."""
    settings.PROOFSHEET_ALLOWANCE |= dict.fromkeys(settings.PROOFSHEET_ALLOWANCE, 10**9)
    settings.PROOFSHEET_WAIT_BUDGETS_S = dict.fromkeys(settings.PROOFSHEET_WAIT_BUDGETS_S, 10**9)
    owner = User.objects.create_user("product")
    make_model()
    own = make_project(owner)
    client = Client(SERVER_NAME="localhost", headers={"Authorization": _bearer(own, owner)})
    numbers = iter(range(10**9))
    _accept(client, numbers, WARM_UP)
    gc_tuning.settle()  # as a house does once it has started
    _copy()
    with _in_copy():
        _fill(own, end_users=end_users, projects=projects)
    empty, full = [], []
    for _ in range(rounds):
        empty.append(_round(client, numbers, count))
        with _in_copy():
            full.append(_round(client, numbers, count))
    ratios = [there / here for there, here in zip(full, empty, strict=True)]
    name = f"accept_p95_with_{end_users:,}_end_users_in_{projects:,}_projects"
    return [
        Row(f"{name}_over_empty", round(median(ratios), 2), "x",
            round(min(ratios), 2), round(max(ratios), 2), must=MUST,
            against=f"the empty house, in turns: {rounds} rounds of {count} requests each"),
        Row("accept_p95_empty_ms", *_range(empty)),
        Row("accept_p95_full_ms", *_range(full)),
    ]  # fmt: skip


def _range(values: list[float]) -> tuple[float, str, float, float]:
    return round(median(values), 1), "ms", round(min(values), 1), round(max(values), 1)


def _bearer(project: Project, owner: User) -> str:
    return f"Bearer {project_key(project, owner)}"


def _copy() -> None:
    """A second database with all that the first one holds; each keeps its own from here on."""
    name = connection.settings_dict["NAME"]
    with _in("postgres"), connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}{COPY}" TEMPLATE "{name}"')


def _in_copy() -> AbstractContextManager[None]:
    return _in(f"{connection.settings_dict['NAME']}{COPY}")


@contextmanager
def _in(database: str) -> Iterator[None]:
    """Django's own connection, to another database of the same server."""
    before = connection.settings_dict["NAME"]
    _go_to(database)
    try:
        yield
    finally:
        _go_to(before)


def _go_to(database: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined] # PostgreSQL's wrapper has it
    connection.settings_dict["NAME"] = database


def _round(client: Client, numbers: Iterator[int], count: int) -> float:
    """p95, once the connection and its plans are warm."""
    _accept(client, numbers, WARM_UP)
    return quantiles(_accept(client, numbers, count), n=20)[-1]


def _accept(client: Client, numbers: Iterator[int], count: int) -> list[float]:
    GenerationRequest.objects.all().delete()
    with connection.cursor() as cursor:  # else a round pays for the rows of those before it
        cursor.execute(f"VACUUM ANALYZE {GenerationRequest._meta.db_table}")
    took = []
    for _ in range(count):
        number = next(numbers)
        who = {END_USER_HEADER: f"person-{number if number % 2 else number % 100}"}
        body = {"prompt": f"picture {number}", "steps": 4}
        began = time.perf_counter()
        answer = client.post(
            "/api/v1/generations/", body, content_type="application/json", headers=who
        )
        took.append((time.perf_counter() - began) * 1000)
        assert answer.status_code == 201, answer.content
    return took


def _fill(own: Project, *, end_users: int, projects: int) -> None:
    """A tenth of the end users are of the project that asks, the others are spread evenly."""
    now = timezone.now()
    others = [Project(name=f"Shop {number}", created_at=now) for number in range(projects - 1)]
    Project.objects.bulk_create(others, batch_size=1000)
    mine = end_users // OWN_SHARE
    with connection.cursor() as cursor:
        _people(cursor, "= %s", [own.pk], each=mine)
        _people(cursor, "<> %s", [own.pk], each=(end_users - mine) // max(1, projects - 1))
        # As in a house that came to hold them: pages on disk, nothing left to vacuum.
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _people(cursor: object, which: str, values: list[object], *, each: int) -> None:
    said = f"""INSERT INTO {EndUser._meta.db_table}
        (id, project_id, ref, standing, first_seen_at, last_seen_at)
        SELECT gen_random_uuid(), p.id, encode(sha256(convert_to(p.id::text || n, 'UTF8')), 'hex'),
               'good', now(), now()
        FROM {Project._meta.db_table} p, generate_series(1, %s) n WHERE p.id {which}"""
    cursor.execute(said, [each, *values])  # type: ignore[attr-defined] # Django's cursor is untyped
