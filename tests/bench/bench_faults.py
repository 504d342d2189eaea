"""`make bench-faults`: how soon workers work again once their broker is back.

A worker of the queue `beat` as a house has it, on servers of its own, which puts the log's entries
into the tree: one comes in every second, with a ticket if the broker takes it. The broker is killed
or stopped in order, stays away for 1 to 60 s, and is started again with what it kept. Counted from
when it answers until an entry that came in afterwards has its place.
"""

# ruff: noqa: E402 - the servers must be started before Django

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import argparse
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Literal
from uuid import uuid4

import django

django.setup()

from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from config.celery import app
from config.launch.valkey import Valkey
from generation.hardware import worker_processes
from provenance.log import recomputation, transparency_log
from provenance.models import LogEntry
from tests.bench import report
from tests.bench.report import Row
from tests.generation.processes import celery_worker, wait_until
from tests.generation.rabbitmq import RabbitMQ
from tests.generation.redis_server import RedisServer

Fault = Literal["killed", "stopped"]
Broker = Valkey | RabbitMQ
EVERY_S = 1.0
OUTAGES: list[tuple[Fault, int]] = [
    ("killed", 1),
    ("stopped", 5),
    ("killed", 20),
    ("stopped", 60),
]


class Comers:
    """Append an entry every second, and send its ticket where the broker takes one."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._over = Event()
        self._thread = Thread(target=self._come, daemon=True)

    def __enter__(self) -> "Comers":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _come(self) -> None:
        while not self._over.wait(EVERY_S):
            transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=timezone.now())
            send_ticket(self._url)
        connection.close()


def send_ticket(url: str) -> None:
    with suppress(Exception), app.connection_for_write(url) as line:
        line.ensure_connection(max_retries=1, timeout=1)
        app.send_task("provenance.tasks.sequence_log", connection=line, queue="beat", expires=10)


def end(broker: Broker, fault: Fault) -> None:
    if fault == "stopped":
        broker.stop()
    elif isinstance(broker, RabbitMQ):
        broker.kill()
    else:
        assert broker.process is not None
        broker.process.kill()
        broker.process.wait()


def last_entry() -> int:
    return LogEntry.objects.order_by("-id").values_list("id", flat=True).first() or 0


def has_worked_since(entry_id: int) -> bool:
    return LogEntry.objects.filter(id__gt=entry_id, leaf__isnull=False).exists()


def is_up() -> bool:
    return worker_processes.alive("beat", at=timezone.now()).filter(slots__gt=0).exists()


def outages(name: str, broker: Broker, faults: Sequence[tuple[Fault, int]]) -> list[Row]:
    took: dict[str, float] = {}
    broker.start()
    app.conf.update(broker_url=broker.url(0))
    with celery_worker(queue="beat", BROKER_URL=broker.url(0)):
        wait_until(is_up, seconds=600, pause=0.5)
        with Comers(broker.url(0)):
            wait_until(partial(has_worked_since, last_entry()), seconds=600, pause=0.1)
            for fault, seconds in faults:
                end(broker, fault)
                time.sleep(seconds)
                broker.start()
                before, began = last_entry(), time.monotonic()
                wait_until(partial(has_worked_since, before), seconds=400, pause=0.1)
                took[f"{fault}_{seconds}_s"] = time.monotonic() - began
                print(name, fault, seconds, round(time.monotonic() - began, 1), flush=True)
                time.sleep(5)
        send_ticket(broker.url(0))
        wait_until(lambda: not LogEntry.objects.filter(leaf__isnull=True).exists(), seconds=400)
    broker.stop()
    fault_found = recomputation.audit().fault
    return [
        *(Row(f"{name}_{what}", s, "s", better="lower", must=15) for what, s in took.items()),
        Row(f"{name}_log_faults", float(fault_found is not None), "faults", must=0),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--broker", choices=("valkey", "redis", "rabbitmq"), action="append")
    parser.add_argument("--seconds", type=int, help="one outage alone, killed for so long")
    parser.add_argument("--tiny", action="store_true", help="write nothing")
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    folder = Path(tempfile.mkdtemp())
    brokers: dict[str, Broker] = {
        "valkey": Valkey(folder / "valkey"),
        "redis": RedisServer(folder / "redis"),
        "rabbitmq": RabbitMQ(folder / "rabbitmq"),
    }
    faults: list[tuple[Fault, int]] = [("killed", options.seconds)] if options.seconds else OUTAGES
    rows = [
        row for name in options.broker or brokers for row in outages(name, brokers[name], faults)
    ]
    if options.tiny:
        report.print_table(rows)
    else:
        report.publish("faults", rows, keeps_others=True)


if __name__ == "__main__":
    main()
