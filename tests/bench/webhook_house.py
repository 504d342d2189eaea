"""The outbox's worker as a house runs it, and three receivers: one well, one slow, one dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.utils import timezone

from config.core import events
from config.core.projects.models import Membership, Project
from config.launch.programs import program
from config.webhooks import endpoints
from config.webhooks.deliveries import sending
from config.webhooks.models import Delivery, Endpoint
from tests.webhooks.receivers import Receiver, hangs, says

KINDS = ("good", "slow", "dead")
SLOW_S, DEAD_S = 5.0, 600.0


@dataclass
class WebhookHouse:
    """A project for each receiver."""

    receivers: dict[str, Receiver]
    projects: dict[str, Project]

    def tell(self, kinds: tuple[str, ...], *, count: int, seconds: float) -> None:
        """So many events for each of those projects, evenly over the time."""
        began = time.monotonic()
        for number in range(count):
            time.sleep(max(0.0, began + number * seconds / count - time.monotonic()))
            for kind in kinds:
                said = {"number": number, "told_at_s": time.time()}
                events.tell(self.projects[kind].id, "generation.refused", said)

    def delays_s(self, *, count: int, patience_s: float) -> list[float]:
        """From the event to its arrival at the good receiver; for ever for what never came."""
        ends_at = time.monotonic() + patience_s
        good = self.receivers["good"]
        while len(set(good.ids)) < count and time.monotonic() < ends_at:
            time.sleep(0.1)
        written = {
            row.event_id: row.written_at.timestamp()
            for row in Delivery.objects.filter(endpoint__project=self.projects["good"])
        }
        first: dict[str, float] = {}
        for each in good.received:
            first.setdefault(each.headers["webhook-id"], each.at_s)
        delays = [first[event_id] - at_s for event_id, at_s in written.items() if event_id in first]
        return delays + [float("inf")] * (count - len(delays))

    def forget(self) -> None:
        """As if nothing had been sent yet; the endpoints stay as they are known."""
        with transaction.atomic():  # the worker may be noting an attempt
            list(Delivery.objects.select_for_update().values_list("id"))
            Delivery.objects.all().delete()
        for receiver in self.receivers.values():
            receiver.received.clear()


@contextmanager
def running() -> Iterator[WebhookHouse]:
    """The house with its worker, and beat's part of it."""
    settings.PROOFSHEET_WEBHOOKS_TO_LOOPBACK = True
    answers = {"good": says(204), "slow": hangs(SLOW_S), "dead": hangs(DEAD_S)}
    with ExitStack() as stack:
        receivers = {
            kind: stack.enter_context(Receiver(answer).listening())
            for kind, answer in answers.items()
        }
        projects = {kind: _project(kind, receivers[kind].url) for kind in KINDS}
        stack.enter_context(_worker())
        stack.enter_context(_swept())
        yield WebhookHouse(receivers, projects)


def _project(kind: str, url: str) -> Project:
    owner = User.objects.create_user(f"owner-of-{kind}")
    now = timezone.now()
    project = Project.objects.create(name=kind, created_at=now)
    Membership.objects.create(project=project, user=owner, role="owner", since=now)
    endpoints.make(project.id, by=owner, url=url, at=now)
    return project


@contextmanager
def _worker() -> Iterator[None]:
    command = [
        program("celery"), "-A", "config", "--quiet", "worker", "--loglevel", "ERROR",
        "--without-gossip", "--without-mingle", "-P", "threads", "-c", "32", "-Q", "outbox",
        "-n", "bench@%h",
    ]  # fmt: skip
    said = settings.DATABASES["default"]
    place = f"{said['USER']}:{said['PASSWORD']}@{said['HOST']}:{said['PORT']}/{said['NAME']}"
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": f"postgresql://{place}",
        "BROKER_URL": settings.BROKER_URL,
        "CACHE_URL": settings.CACHE_URL,
        "WEBHOOKS_TO_LOOPBACK": "1",
    }
    worker = subprocess.Popen(
        command, env=os.environ | variables, stdout=sys.stderr, stderr=sys.stderr
    )
    try:
        yield
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()


@contextmanager
def _swept() -> Iterator[None]:
    """What beat has done every ten seconds."""
    is_over = Event()

    def sweep() -> None:
        while not is_over.wait(10):
            sending.sweep(at=timezone.now())
        connection.close()

    thread = Thread(target=sweep, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def proven(house: WebhookHouse, *, patience_s: float = 120) -> None:
    """Wait until the worker has started and the good endpoint is known as one."""
    house.tell(("good",), count=1, seconds=0)
    ends_at = time.monotonic() + patience_s
    good = Endpoint.objects.filter(project=house.projects["good"], is_proven=True)
    while not good.exists() and time.monotonic() < ends_at:
        time.sleep(0.2)
        sending.sweep(at=timezone.now())
    house.forget()
