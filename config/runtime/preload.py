"""Loads what a worker needs before it takes its first ticket.

In the main thread and before any other one runs: torch, transformers, diffusers and accelerate
import each other in circles, and two threads that begin at once each find the other's modules half
made. What failed so stays broken for as long as the process lives.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from celery.signals import celeryd_after_setup
from django.db import connection

from config.runtime import gc_tuning, malloc_arenas, start_check

logger = logging.getLogger(__name__)
# A forward is a thousand short calls that each let other threads run, and wait this long for one
# that does not stop by itself. With Python's own 5 ms every step was held up by them (ADR 60).
SWITCH_S = 0.0002


@dataclass(slots=True)
class Loading:
    """How far it has come; announced with the worker, so that pages can say what they wait for."""

    parts: int
    loaded: int = 0

    def vitals(self) -> dict[str, int]:
        return {"loaded": self.loaded, "parts": self.parts}


def connect() -> None:
    """Load when a worker has been set up, before it takes its first ticket."""
    celeryd_after_setup.connect(warm_up, dispatch_uid="house.warm_up")


def warm_up(sender: str, instance: Any, **_: Any) -> None:
    """Whatever fails to load fails again, and is told, where it is needed. Ends the process whose
    keys are not this house's, or whose storage refuses it.
    """
    from generation.hardware import worker_processes  # workers alone: the web knows no devices

    malloc_arenas.cap()
    start_check.require_own_keys()
    start_check.require_storage()
    queues = set(instance.app.amqp.queues.consume_from)
    parts = list(_parts(queues))
    loading = Loading(len(parts))
    worker_processes.announcer.start(
        worker_processes.Announcement(str(sender), sorted(queues), 0, loading.vitals)
    )
    try:
        for load in parts:
            load()
            loading.loaded += 1
    except Exception:
        logger.warning("the warm-up failed; the first request loads what it needs", exc_info=True)
    finally:
        connection.close()
    gc_tuning.settle()
    sys.setswitchinterval(SWITCH_S)


def _parts(queues: set[str]) -> Iterator[Callable[[], object]]:
    """What workers of these queues load, the longest first."""
    from provenance.marks import watermark_pattern  # workers alone

    if any(name.startswith("gpu") for name in queues):
        yield partial(_load_model, queues)
        yield _load_image_screening
        yield _load_screening  # of the live page's prompts
        yield from (partial(_load_tile, number) for number in range(watermark_pattern.SETS))
    elif "cpu" in queues:
        yield _load_screening


def _load_screening() -> None:
    from moderation.classifiers import prompt  # onnxruntime is kept out of the web

    prompt.classifier()


def _load_image_screening() -> None:
    from moderation.classifiers import image  # onnxruntime is kept out of the web

    image.classifier()


def _load_model(queues: set[str]) -> None:
    """The default one, where this worker is one that serves it."""
    from adapters.access import visibility  # has models, which are not loaded yet above
    from generation.hardware import devices, hardware_queues  # torch is kept out of the web

    model = visibility.find_model(None)
    if hardware_queues.queue_of(model) in queues:
        devices.engine_for(model)


def _load_tile(number: int) -> None:
    """Each takes a second to make, and is kept."""
    from provenance.keys import installed_keys  # workers alone
    from provenance.marks import watermark_pattern  # workers alone

    watermark_pattern.patterns(installed_keys.keyring().watermark_key, number)
