"""Which worker processes live, as they say themselves every few seconds."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import reduce
from operator import or_
from threading import Event, Lock, Thread

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.models import Q, QuerySet

from config.core import clock
from config.core.ttl_cache import remembered
from generation.models import Worker

logger = logging.getLogger(__name__)
PERMITS = 8
"""Requests of a render worker that may be on its device at once; its further threads mark, screen
and store beside them."""
RESERVED = 2  # of the permits, for interactive requests: eight long ones must not shut them out
ANNOUNCE_S = 5.0
LOST_AFTER = timedelta(seconds=20)
FORGOTTEN_AFTER = timedelta(days=1)
LookInside = Callable[[], dict[str, int]]


def announce(
    name: str,
    *,
    queues: list[str],
    slots: int,
    at: datetime,
    vitals: dict[str, int] | None = None,
) -> None:
    """Writes the worker's row; its `started_at` stays that of the first announcement."""
    said = {"queues": queues, "slots": slots, "seen_at": at, "vitals": vitals or {}}
    said["release"] = settings.PROOFSHEET_VERSION
    Worker.objects.update_or_create(
        name=name, defaults=said, create_defaults=said | {"started_at": at}
    )


def dismiss(name: str) -> None:
    """Drops the row of a worker that ends in order; nobody counts on it from then on."""
    Worker.objects.filter(name=name).delete()


def forget_lost(*, at: datetime) -> None:
    """Drop the rows of workers that died without a word long ago."""
    Worker.objects.filter(seen_at__lt=at - FORGOTTEN_AFTER).delete()


def heard_of(*, at: datetime) -> QuerySet[Worker]:
    """Workers that announced themselves in the last 20 s, also those that still load."""
    return Worker.objects.filter(seen_at__gte=at - LOST_AFTER)


def alive(*queues: str, at: datetime) -> QuerySet[Worker]:
    """Workers that take from any of the `queues` and were heard of lately; those that still load
    their models, without a slot, do not."""
    takes = reduce(or_, (Q(queues__contains=[queue]) for queue in queues))
    return heard_of(at=at).filter(takes, slots__gt=0)


@remembered
def devices(queue: str, *, at: datetime) -> int:
    """That work on a queue, a moment old, and at least one: with no worker alive, the next one to
    come is counted."""
    return max(1, alive(queue, at=at).count())


@dataclass(frozen=True, slots=True)
class Announcement:
    """`slots` is 0 for as long as the worker loads its models and takes nothing."""

    name: str
    queues: list[str]
    slots: int
    vitals: LookInside


class Announcer:
    """Announces this worker process from a thread of its own until it is told to stop."""

    def __init__(self) -> None:
        self._done = Event()
        self._thread: Thread | None = None
        self._said: Announcement | None = None
        self._saying = Lock()

    def start(self, said: Announcement) -> None:
        """Announce that from now on; what was announced before is no longer so."""
        self._said = said
        if self._thread is not None and self._thread.is_alive():
            self._say()
            connection.close()
            return
        self._done.clear()
        self._thread = Thread(target=self._keep, name="announcer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._done.set()

    def _keep(self) -> None:
        try:
            while (said := self._say()) is not None:
                if self._done.wait(ANNOUNCE_S):
                    dismiss(said.name)
                    return
        finally:
            connection.close()

    def _say(self) -> Announcement | None:
        """Write what holds now. One thread at a time, or an older word could follow a newer one."""
        with self._saying:
            if (said := self._said) is None:
                return None
            try:
                announce(
                    said.name,
                    queues=said.queues,
                    slots=said.slots,
                    at=clock.now(),
                    vitals=said.vitals() | {"clock_skew_ms": round(1000 * clock.now.skew_s)},
                )
            except (OperationalError, InterfaceError) as error:
                logger.warning("cannot announce this worker, the database is away: %s", error)
                connection.close()
            return said


announcer = Announcer()
