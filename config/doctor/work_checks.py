"""Checks of what goes on in a house: its keys and log, its workers, its clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Min

from config.core import clock
from config.core.clock import SKEW_TOLD_S
from config.core.errors import ProofsheetError
from config.doctor.symptoms import Symptom
from generation.capacity import current_load
from generation.hardware import hardware_queues, worker_processes
from provenance.log import own_keys, rollback
from provenance.models import PendingEntry

LOG_LATE = timedelta(seconds=60)
SWEEP_LATE_S = 60.0


def keys() -> Iterator[Symptom]:
    """Whether one of the folder's keys signed the newest checkpoint of the database."""
    try:
        own_keys.require()
    except ProofsheetError as error:
        yield Symptom(error.message, error.advice)


def log() -> Iterator[Symptom]:
    """Whether entries get their place, and none is missing that was signed."""
    if lacking := rollback.missing():
        yield Symptom(
            f"The log lacks {lacking} entries that its own key has signed already, so it signs "
            "nothing more.",
            rollback.LogBehind.default_advice,
        )
    waiting = PendingEntry.objects.aggregate(oldest=Min("entry__at"))["oldest"]
    if waiting is not None and clock.now() - waiting > LOG_LATE:
        yield Symptom(
            f"An entry has waited for its place in the log since {waiting:%Y-%m-%d %H:%M:%S} UTC.",
            "See whether beat and a worker of the queue `beat` run, and what that worker logs.",
        )


def workers() -> Iterator[Symptom]:
    """Whether somebody takes from every queue, with this release and the right time."""
    heard = list(worker_processes.heard_of(at=clock.now()).order_by("name"))
    served = {queue for worker in heard for queue in worker.queues}
    for queue in (*hardware_queues.queues(), "cpu", "beat", "outbox"):
        if queue not in served:
            yield Symptom(
                f"No worker takes from the queue `{queue}`.",
                f"Start one: `make worker QUEUE={'cpu' if queue == 'beat' else queue}`.",
            )
    for worker in heard:
        if worker.release != settings.PROOFSHEET_VERSION:
            yield Symptom(
                f"The worker {worker.name} runs release {worker.release or 'before 0.1.0'}, and "
                f"this is {settings.PROOFSHEET_VERSION}.",
                "Install this release on its host and start it anew.",
            )
        if abs(skew_s := worker.vitals.get("clock_skew_ms", 0) / 1000) > SKEW_TOLD_S:
            yield Symptom(
                f"The clock of the worker {worker.name} is {skew_s:+.1f} s off the database's.",
                "Set it by NTP.",
            )


def beat() -> Iterator[Symptom]:
    """Whether what the clock sends is done."""
    ago_s = current_load.swept_s_ago(at=clock.now())
    if ago_s is None or ago_s > SWEEP_LATE_S:
        last = "never yet" if ago_s is None else f"{ago_s:,.0f} s ago"
        yield Symptom(
            f"The sweep that beat sends every ten seconds was done {last}.",
            "Start beat, one in all, and a worker of the queue `beat`.",
        )
