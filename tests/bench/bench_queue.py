"""The queue's part of `make bench-serving`: a flooder among nine users, and accepting requests.

    python -m tests.bench.bench_queue ROWS.json [--tiny]

On servers of its own, with a stand-in for the engine: a request takes as long as it was predicted
to. Claims, fairness, admission, API and database are the real ones. Prints its rows as JSON.
"""

# ruff: noqa: E402 - the servers must be started before Django

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
os.environ["DATABASE_POOL_SIZE"] = "40"

import argparse
import json
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from statistics import median
from threading import Event, Thread

import django

django.setup()

from django.conf import settings
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from adapters.models import BaseModel
from config.runtime import gc_tuning
from generation.line import claims
from generation.models import GenerationRequest, RequestStatus
from tests import factories
from tests.bench.report import Row

SEATS = 8
SERVICE_MS = 40
LOAD = 0.6  # of what the seats carry: what the nine ask for together
FLOOD = 400


def p95(values: list[float]) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]


class House:
    """Seats that claim from the real queue and take the predicted time for each request."""

    def __enter__(self) -> "House":
        self._is_over = Event()
        self._seats = [Thread(target=self._serve, daemon=True) for _ in range(SEATS)]
        for seat in self._seats:
            seat.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for seat in self._seats:
            seat.join()

    def _serve(self) -> None:
        while not self._is_over.is_set():
            claim = claims.claim(worker="bench", at=timezone.now())
            if claim is None:
                time.sleep(0.005)
                continue
            time.sleep(SERVICE_MS / 1000)
            GenerationRequest.objects.get(id=claim.request_id).finish(at=timezone.now())
        connection.close()


def waits_of_nine(model: BaseModel, users: list[User], each: int, *, flood: int) -> list[float]:
    """Seconds from queued to finished of the nine users' requests, who ask one after another at
    random times while a tenth has `flood` requests in line."""
    GenerationRequest.objects.all().delete()
    now = timezone.now()
    for _ in range(flood):
        factories.make_request(users[-1], model, created_at=now, predicted_ms=SERVICE_MS)
    pause_s = SERVICE_MS / 1000 * 9 / SEATS / LOAD

    def ask(user: User) -> list[float]:
        took = []
        for _ in range(each):
            begun = time.perf_counter()
            made = factories.make_request(
                user, model, created_at=timezone.now(), predicted_ms=SERVICE_MS
            )
            rows = GenerationRequest.objects.filter(id=made.id, status=RequestStatus.FINISHED)
            while not rows.exists():
                time.sleep(0.005)
            took.append(time.perf_counter() - begun)
            time.sleep(max(0.0, pause_s - took[-1]))
        connection.close()
        return took

    with House(), ThreadPoolExecutor(9) as pool:
        return [wait for waits in pool.map(ask, users[:9]) for wait in waits]


def fairness(model: BaseModel, rounds: int, each: int, flood: int) -> Row:
    users = [User.objects.create_user(f"user-{n}") for n in range(10)]
    ratios = []
    for _ in range(rounds):
        empty = p95(waits_of_nine(model, users, each, flood=0))
        ratios.append(p95(waits_of_nine(model, users, each, flood=flood)) / empty)
    return Row(
        "nine_users_p95_beside_a_flooder_vs_empty",
        median(ratios),
        "x",
        min(ratios),
        max(ratios),
        "lower",
        1.5,
        1.2,
        f"the same nine without the flooder's {flood} requests",
    )


def accept(client: Client, number: int) -> tuple[float, int]:
    body = {"prompt": f"picture {number}", "steps": 4}
    begun = time.perf_counter()
    answer = client.post("/api/v1/generations/", body, content_type="application/json")
    return (time.perf_counter() - begun) * 1000, answer.status_code


def at_rate(
    ask: Callable[[int], tuple[float, int]], per_s: float, count: int
) -> list[tuple[float, int]]:
    """Answers to `count` requests sent evenly, whatever the earlier ones do."""

    def wait_and_ask(number: int) -> tuple[float, int]:
        time.sleep(max(0.0, begun + number / per_s - time.perf_counter()))
        try:
            return ask(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        begun = time.perf_counter()
        return list(pool.map(wait_and_ask, range(count)))


def acceptance(model: BaseModel, rounds: int, count: int) -> list[Row]:
    """p95 of accepting at 50 requests a second; and what a burst of ten times as many leaves."""
    user = User.objects.create_user("caller")
    client = Client(SERVER_NAME="localhost")
    client.force_login(user)
    settings.PROOFSHEET_ALLOWANCE |= {"images_a_day": 10**9, "device_seconds_a_day": 10**9}
    settings.PROOFSHEET_ALLOWANCE |= {"in_flight": 10**9}
    settings.PROOFSHEET_REMEMBER_S = 2  # as a house has it
    for number in range(3):
        accept(client, number)  # the first ones import what they need
    gc_tuning.settle()  # as a house does once it has started
    times = []
    for _ in range(rounds):
        GenerationRequest.objects.all().delete()
        times.append(p95([ms for ms, _ in at_rate(lambda n: accept(client, n), 50, count)]))
    settings.PROOFSHEET_ALLOWANCE |= {"in_flight": count}
    GenerationRequest.objects.all().delete()
    answers = [code for _, code in at_rate(lambda n: accept(client, n), 500, 2 * count)]
    stored, accepted = GenerationRequest.objects.count(), answers.count(201)
    others = len(answers) - accepted - answers.count(429)
    return [
        Row(
            "accept_ms_p95_at_50_per_s",
            median(times),
            "ms",
            min(times),
            max(times),
            "lower",
            30,
            None,
            "in one process, without the network",
        ),
        Row(
            "burst_500_per_s_lost_or_doubled",
            float(abs(stored - accepted) + others),
            "requests",
            better="lower",
            must=0,
            against=f"{answers.count(429)} of {len(answers)} were answered with 429",
        ),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--tiny", action="store_true")
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # each 429 would be a line
    call_command("migrate", verbosity=0)
    model = factories.make_model()
    rounds, each, flood, count = (1, 2, 20, 20) if options.tiny else (5, 12, FLOOD, 250)
    rows = [fairness(model, rounds, each, flood), *acceptance(model, rounds, count)]
    options.rows.write_text(json.dumps([asdict(row) for row in rows]))


if __name__ == "__main__":
    main()
