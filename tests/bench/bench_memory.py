"""`make bench-memory`: whether the memory of a render worker levels off.

A worker as a house has it, on servers of its own: it loads the starter model, and draws, marks,
screens, signs and stores pictures with one step each, no two of the same prompt, eight of them in
line. What the kernel says it holds is noted every hundred pictures.
"""

# ruff: noqa: E402 - the servers must be started before Django

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import re
from pathlib import Path

import django

django.setup()

from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from adapters.access import visibility
from generation import tasks
from generation.management import builtin_models
from generation.models import GenerationRequest, RequestStatus
from tests.bench import report
from tests.bench.report import Row
from tests.factories import make_request
from tests.generation.processes import celery_worker, wait_until

EVERY, IN_LINE, SETTLED = 100, 8, 200
WAITING = (RequestStatus.QUEUED, RequestStatus.RUNNING)


def held_mib(pid: int) -> float:
    """Of physical memory, what the process holds now."""
    status = Path(f"/proc/{pid}/status").read_text()
    (held_kb,) = re.findall(r"^VmRSS:\s+(\d+) kB", status, re.MULTILINE)
    return int(held_kb) / 1024


def has_room() -> bool:
    return GenerationRequest.objects.filter(status__in=WAITING).count() < IN_LINE


def ask(owner: User, number: int) -> None:
    prompt, model = f"{number} red apples on a table", visibility.find_model(None)
    make_request(
        owner, model, prompt=prompt, steps=1, seed=number, width=512, height=512,
        created_at=timezone.now(),
    )  # fmt: skip
    tasks.render.delay()


def measure(count: int) -> dict[int, float]:
    """MiB by the number of pictures that the worker has made. Raises AssertionError where one was
    not made."""
    owner = User.objects.create(username="bench")
    found: dict[int, float] = {}
    with celery_worker(threads="10") as worker:
        for number in range(1, count + 1):
            wait_until(has_room, seconds=600)
            ask(owner, number)
            if number % EVERY == 0:
                found[number] = held_mib(worker.pid)
                print(number, round(found[number]), flush=True)
        wait_until(lambda: not GenerationRequest.objects.filter(status__in=WAITING).exists())
    ended = GenerationRequest.objects.values_list("status", flat=True)
    assert set(ended) == {RequestStatus.FINISHED}
    return found


def rows(found: dict[int, float]) -> list[Row]:
    last = max(found)
    return [
        *(Row(f"render_worker_mib_{number}", mib, "MiB") for number, mib in found.items()),
        Row("memory_last_over_200", found[last] / found[SETTLED], "times", must=1.05, aim=1.0,
            against=f"{last:,} pictures over {SETTLED}"),
    ]  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pictures", type=int, default=5000)
    parser.add_argument("--tiny", action="store_true", help="write nothing")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    builtin_models.register(at=timezone.now())
    made = rows(measure(options.pictures))
    if options.tiny:
        report.print_table(made)
    else:
        report.publish("memory", made)


if __name__ == "__main__":
    main()
