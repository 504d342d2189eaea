"""`make bench-audit`: the audit on a million screenings, and whether its statistics hold.

    python -m tests.bench.bench_audit [--screenings N] [--labels N] [--trials N]

Report and replay run on servers of their own, from the stored rows to the finished files. The
simulations draw traffic by the documented sampling design and count how often intervals hold and
verdicts err. Writes docs/benchmarks/audit.json.
"""

# ruff: noqa: E402 - threads must be counted before numpy is loaded, servers started before Django

import os

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import resource
import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime
from time import perf_counter
from typing import TypeVar

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection

from moderation.audits.audit_reports import traffic_report
from moderation.audits.lab import threshold_lab
from moderation.audits.sampling.population import Window
from moderation.audits.tables import renditions
from tests.bench.audit_simulations import simulated
from tests.bench.report import Row, publish
from tests.moderation.audits.makers import stored_policy

WINDOW = Window("image", date(2026, 10, 1), date(2026, 10, 31))
START = datetime(2026, 10, 1, tzinfo=UTC)
ROUNDS = 5
T = TypeVar("T")

# Three in a hundred are flagged; the share that is labelled rises towards the threshold.
SCREENINGS = """
INSERT INTO moderation_screening (id, stage, policy_id, profile, classifier, cache_key, verdict,
    learned, categories, matched, is_from_cache, screened_at)
SELECT md5(n::text)::uuid, 'image', %s, 'general', 'bench 1', md5(n::text), 'allow',
    '{}', '{}', '[]', false, %s::timestamptz + n * interval '2.5 seconds'
FROM generate_series(1, %s) AS n
"""
FRAME = """
INSERT INTO audits_frameentry (screening_id, stage, subject_id, gender, age, skin, prompt_cluster,
    owner_cluster, category, score, threshold, scores, is_flagged, sampling_stratum,
    inclusion_probability, is_sampled, policy_version, model_version, screened_at)
SELECT id, 'image', id, (ARRAY['man', 'woman', ''])[1 + n %% 3], '',
    (ARRAY['', 'light', 'dark'])[1 + n %% 4 %% 3], n / 3, n / 20, 'sexual', score, 0.5,
    jsonb_build_object('sexual', score), score >= 0.5,
    CASE WHEN score >= 0.5 THEN 'flagged' WHEN score >= 0.3 THEN 'near' ELSE 'far' END, pi,
    random() < pi, %s, 'bench 1', screened_at
FROM (SELECT n, id, screened_at, score,
        CASE WHEN score >= 0.5 THEN 0.5 WHEN score >= 0.3 THEN 0.15 ELSE 0.024 END AS pi
    FROM (SELECT row_number() OVER () AS n, id, screened_at,
            round((random() ^ 5)::numeric, 4)::float8 * 0.6 AS score
        FROM moderation_screening WHERE stage = 'image') AS scored) AS drawn
"""
LABELS = """
INSERT INTO audits_label (entry_id, reviewer_id, truth, is_blind, policy_version, model_version,
    threshold, score, sampling_stratum, inclusion_probability, labelled_at)
SELECT screening_id, %s,
    CASE WHEN score + random() * 0.2 - 0.1 >= 0.52 THEN 'violates'
         WHEN random() < 0.02 THEN 'unclear' ELSE 'acceptable' END,
    true, policy_version, model_version, threshold, score, sampling_stratum,
    inclusion_probability, screened_at
FROM audits_frameentry WHERE is_sampled ORDER BY screening_id LIMIT %s
"""


def fill(screenings: int, labels: int) -> int:
    """Screenings, their frame and blind labels, one item in ten with two; how many labels."""
    rule = stored_policy()
    reviewers = [User.objects.create_user(name) for name in ("bob", "carol")]
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute(SCREENINGS, [rule.pk, START, screenings])
        cursor.execute(FRAME, [rule.version])
        cursor.execute(LABELS, [reviewers[0].pk, labels])
        given = int(cursor.rowcount)
        cursor.execute(LABELS, [reviewers[1].pk, labels // 10])
        cursor.execute("SET session_replication_role = DEFAULT")
        cursor.execute("ANALYZE")
    return given


def timed(work: Callable[[], T], rounds: int = ROUNDS) -> tuple[list[float], T]:
    """Seconds of each round, and the last one's result."""
    taken = []
    for _ in range(rounds):
        started = perf_counter()
        result = work()
        taken.append(perf_counter() - started)
    return taken, result


def report_rows(screenings: int, labels: int) -> list[Row]:
    given = fill(screenings, labels)
    taken, files = timed(lambda: renditions.files(traffic_report.assemble(WINDOW)))
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    again = renditions.files(traffic_report.assemble(WINDOW))
    replays, found = timed(
        lambda: threshold_lab.replayed(
            WINDOW, category="sexual", dimension="gender", before=0.5, after=0.45
        )
    )
    assert found.screenings == screenings
    return [
        Row(
            "report_1m_screenings_s",
            statistics.median(taken),
            "s",
            min(taken),
            max(taken),
            must=30,
            against=f"{screenings:,} screenings and {given:,} labels, rows to PDF, CSV and JSON",
        ),
        Row("report_peak_mib", peak_mib, "MiB", must=1024, against="the whole process"),
        Row(
            "report_same_bytes",
            float(files == again),
            "share",
            better="higher",
            must=1,
            against="a second report from the same rows, every file",
        ),
        Row(
            "replay_1m_scores_s",
            statistics.median(replays),
            "s",
            min(replays),
            max(replays),
            must=2,
            against="scores read from the database, with labelled errors and curves",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screenings", type=int, default=1_000_000)
    parser.add_argument("--labels", type=int, default=50_000)
    parser.add_argument("--trials", type=int, default=4000)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    rows = report_rows(options.screenings, options.labels)
    publish("audit", [*rows, *simulated(options.trials)])


if __name__ == "__main__":
    main()
