"""`make bench-moderation`: the review desk with 100,000 cases, and the screening's time and worth.

    python -m tests.bench.bench_moderation [--cases N] [--screenings N] [--rounds N]

On servers of its own. Pages are timed on the server's side, from request to rendered bytes, without
the network. Writes docs/benchmarks/moderation.json.
"""

# ruff: noqa: E402 - threads must be counted before numpy is loaded, servers started before Django

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from time import perf_counter
from typing import Literal
from uuid import UUID

import django
import numpy as np

django.setup()

from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from config.accounts.roles.role_permissions import give_permissions
from moderation.cases import review_cases
from moderation.models import Screening
from moderation.screening import classify
from tests.bench.report import Row, publish, share_row
from tests.moderation import worth
from tests.moderation.makers import evidence, picture

CLAIMERS = 8
CLAIMS_EACH = 250
CASES = """
INSERT INTO moderation_reviewcase (id, subject_kind, subject_id, owner_id, evidence, status,
    category, severity, opened_at, due_at)
SELECT gen_random_uuid(), (ARRAY['prompt', 'image', 'prompt', 'adapter'])[1 + n %% 4],
    gen_random_uuid(), %s, %s::jsonb, 'open',
    (ARRAY['sexual', 'nudity', 'violence', 'hate', 'drugs'])[1 + n %% 5], 1 + n %% 4,
    now() - n * interval '1 second',
    now() + interval '20 hours' - (n %% 80000) * interval '1 second'
FROM generate_series(1, %s) AS n
"""
SCREENINGS = """
INSERT INTO moderation_screening (id, stage, policy_id, profile, classifier, cache_key, verdict,
    learned, categories, matched, is_from_cache, screened_at)
SELECT gen_random_uuid(), 'prompt', %s, 'general', 'bench 1', md5(n::text), 'allow',
    '{}', '{"sexual": 0.1}', '[]', false, now() - n * interval '1 second'
FROM generate_series(1, %s) AS n
"""
INDEXES_WAIT = """
UPDATE pg_index SET indisready = false
WHERE indrelid IN ('moderation_reviewcase'::regclass, 'moderation_screening'::regclass)
"""


def people() -> tuple[User, list[User]]:
    """An owner, and as many reviewers as claim at once."""
    give_permissions()
    owner = User.objects.create_user("owner")
    reviewers = [User.objects.create_user(f"reviewer-{n}") for n in range(CLAIMERS)]
    for reviewer in reviewers:
        reviewer.groups.add(Group.objects.get(name="moderators"))
    return owner, reviewers


def fill(owner: User, count: int, screenings: int) -> None:
    """`count` open cases of mixed severity, kind and age, one in ten overdue, and the screenings.

    The rows name users and policies that are there, so the checks of foreign keys are left out.
    """
    judged = classify.screen_prompt("a red apple", at=datetime.now(UTC))
    policy_id = Screening.objects.get(id=judged.screening_id).policy_id
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(INDEXES_WAIT)  # one build is far quicker than row by row
        cursor.execute(CASES, [owner.pk, json.dumps(evidence().to_json()), count])
        cursor.execute(SCREENINGS, [policy_id, screenings])
        cursor.execute("REINDEX TABLE moderation_reviewcase")
        cursor.execute("REINDEX TABLE moderation_screening")
        cursor.execute("SET session_replication_role = origin")
        cursor.execute("VACUUM ANALYZE")  # as autovacuum does with tables of that size


def milliseconds(call: Callable[[], object], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        started = perf_counter()
        call()
        times.append((perf_counter() - started) * 1000)
    return times


def quantiles(
    name: str, times: list[float], *, must: float, quantile: int = 95, against: str = ""
) -> Row:
    """The p50 or p95, with the smallest and largest time as its range."""
    value = float(np.percentile(times, quantile))
    return Row(
        f"{name}_p{quantile}", value, "ms", min(times), max(times), must=must, against=against
    )


def desk_rows(reviewer: User, rounds: int) -> list[Row]:
    """Next case (claim it and render its page) and the first page of the queue."""
    client = Client(SERVER_NAME="localhost")
    client.force_login(reviewer)
    next_url, list_url = reverse("moderation:next"), reverse("moderation:review")

    def next_case() -> None:
        answer = client.get(client.post(next_url)["Location"])
        assert answer.status_code == 200

    def queue() -> None:
        assert client.get(list_url).status_code == 200

    milliseconds(next_case, 5), milliseconds(queue, 3)
    following, listing = milliseconds(next_case, rounds), milliseconds(queue, rounds)
    return [
        Row("next_case_ms_p50", float(np.median(following)), "ms"),
        quantiles("next_case_ms", following, must=100),
        Row("list_ms_p50", float(np.median(listing)), "ms"),
        quantiles("list_ms", listing, must=200),
    ]


def claim_rows(reviewers: list[User]) -> list[Row]:
    """Eight people claim at once: how fast, and that no case goes to two or is lost."""

    def work(person: User) -> list[UUID]:
        try:
            now = datetime.now(UTC)
            taken = [review_cases.claim_next(by=person, at=now) for _ in range(CLAIMS_EACH)]
            return [case.id for case in taken if case]
        finally:
            connection.close()

    started = perf_counter()
    with ThreadPoolExecutor(len(reviewers)) as pool:
        took = [case_id for ids in pool.map(work, reviewers) for case_id in ids]
    elapsed_s = perf_counter() - started
    doubles = sum(count - 1 for count in Counter(took).values())
    lost = len(reviewers) * CLAIMS_EACH - len(took)
    return [
        Row("claims_per_s", len(took) / elapsed_s, "1/s", better="higher", must=200),
        Row("cases_claimed_twice", doubles, "cases", must=0),
        Row("claims_lost", lost, "cases", must=0),
    ]


def screening_rows(rounds: int) -> list[Row]:
    """One core: a prompt that no cache knows, and one 512 × 512 picture."""
    prompts = iter(worth.prompts("test", "ordinary") * (1 + rounds // 200))
    png = picture()
    classify.judge_prompt("warm up")
    classify.judge_image(png)
    of_prompt = milliseconds(lambda: classify.judge_prompt(next(prompts)), rounds)
    of_image = milliseconds(lambda: classify.judge_image(png), rounds)
    return [
        quantiles("screen_prompt_ms", of_prompt, must=25, quantile=50),
        Row("screen_prompt_ms_p95", float(np.percentile(of_prompt, 95)), "ms"),
        quantiles("screen_image_ms", of_image, must=60, quantile=50),
        Row("screen_image_ms_p95", float(np.percentile(of_image, 95)), "ms"),
    ]


def worth_rows() -> list[Row]:
    """The labelled test half, with Wilson intervals, in per cent."""
    aims: tuple[tuple[Literal["lower", "higher"], float], ...] = (
        *(("lower", 1.0), ("lower", 2.0)),
        *(("higher", 90.0), ("higher", 85.0)),
    )
    return [
        share_row(
            share.name,
            share.hits,
            share.of,
            better=better,
            must=must,
            against=f"{share.of} labelled prompts",
        )
        for share, (better, must) in zip(worth.measure("test"), aims, strict=True)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=100_000)
    parser.add_argument("--screenings", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=100)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    owner, reviewers = people()
    print(f"· {options.cases:,} cases, {options.screenings:,} screenings")
    started = perf_counter()
    fill(owner, options.cases, options.screenings)
    print(f"· filled in {perf_counter() - started:.0f} s")
    rows = desk_rows(reviewers[0], options.rounds)
    rows += claim_rows(reviewers)
    rows += screening_rows(options.rounds)
    rows += worth_rows()
    rows.append(Row("cases_in_table", options.cases, "cases", better="higher"))
    rows.append(Row("screenings_in_table", options.screenings, "screenings", better="higher"))
    publish("moderation", rows)


if __name__ == "__main__":
    main()
