"""`make bench-api`: what a product that builds on the house meets.

    python -m tests.bench.bench_api [--tiny] [--only webhooks pictures crowd]

On servers of its own. Webhooks: 1,000 events in a minute to each of three projects, one with a good
endpoint, one with a slow and one with a dead one; how late the good one hears of its own, and how
much later than it does alone. Pictures: `api_pictures.py`. The crowd: `api_crowd.py`.
"""

# ruff: noqa: E402 - the servers must be started before Django

import os

OUTSIDE = dict(os.environ)  # without the addresses of this benchmark's own servers
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import sys
from collections.abc import Callable
from statistics import quantiles

import django

django.setup()

from django.core.management import call_command

from tests.bench import api_crowd, api_pictures, report, webhook_house
from tests.bench.report import Row

MUST_S = 2.0


def p95(values: list[float]) -> float:
    return quantiles(values, n=20)[-1]


def webhooks(*, count: int, seconds: float) -> list[Row]:
    """The good endpoint alone, and then beside the others, at the same rate."""
    with webhook_house.running() as house:
        webhook_house.proven(house)
        house.tell(("good",), count=count, seconds=seconds)
        alone = p95(house.delays_s(count=count, patience_s=30))
        house.forget()
        house.tell(webhook_house.KINDS, count=count, seconds=seconds)
        beside = p95(house.delays_s(count=count, patience_s=30))
        dead = len(house.receivers["dead"].received)
        slow = len(house.receivers["slow"].received)
    name = f"webhooks: {count:,} in {seconds:g} s to each of three endpoints"
    return [
        Row(f"{name}, the good one's p95", round(beside, 3), "s", must=MUST_S),
        Row(f"{name}, the same over alone", round(beside / alone, 2), "×"),
        Row(f"{name}, attempts at the dead one", dead, "attempts"),
        Row(f"{name}, attempts at the slow one", slow, "attempts"),
    ]


def parts(*, is_tiny: bool) -> dict[str, Callable[[], list[Row]]]:
    """Each measured by itself, so that none runs beside another."""
    if is_tiny:
        return {
            "webhooks": lambda: webhooks(count=30, seconds=3),
            "pictures": lambda: api_pictures.rows(OUTSIDE, pictures=2, streams=3),
            "crowd": lambda: api_crowd.rows(end_users=1000, projects=10, count=40, rounds=2),
        }
    return {
        "webhooks": lambda: webhooks(count=1000, seconds=60),
        "pictures": lambda: api_pictures.rows(OUTSIDE, pictures=40, streams=50),
        "crowd": lambda: api_crowd.rows(end_users=1_000_000, projects=10_000, count=300, rounds=5),
    }


def main() -> None:
    """Measure and print; `--tiny` is a rehearsal, of which nothing is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tiny", action="store_true")
    measured = parts(is_tiny="--tiny" in sys.argv)
    parser.add_argument("--only", nargs="+", choices=[*measured], default=[*measured])
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    rows = [row for name in options.only for row in measured[name]()]
    if options.tiny:
        report.print_table(rows)
    else:
        print(report.publish("api", rows, keeps_others=True))


if __name__ == "__main__":
    main()
