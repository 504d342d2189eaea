"""Loads what a worker needs before it takes its first ticket.

In the main thread and before any other one runs: torch, transformers, diffusers and accelerate
import each other in circles, and two threads that begin at once each find the other's modules half
made. What failed so stays broken for as long as the process lives.
"""

from __future__ import annotations

import logging
import sys
from typing import Any

from celery.signals import celeryd_after_setup
from django.db import connection

from config import heap

logger = logging.getLogger(__name__)
# A forward is a thousand short calls that each let other threads run, and wait this long for one
# that does not stop by itself. With Python's own 5 ms every step was held up by them (ADR 60).
SWITCH_S = 0.0002


@celeryd_after_setup.connect
def warm_up(sender: str, instance: Any, **_: Any) -> None:
    """Whatever fails here fails again, and is told, where it is needed."""
    queues = set(instance.app.amqp.queues.consume_from)
    try:
        if "cpu" in queues:
            _load_screening()
        if any(name.startswith("gpu") for name in queues):
            _load_rendering(queues)
    except Exception:
        logger.warning("the warm-up failed; the first request loads what it needs", exc_info=True)
    finally:
        connection.close()
    heap.settle()
    sys.setswitchinterval(SWITCH_S)


def _load_screening() -> None:
    from moderation.classifiers import prompt

    prompt.classifier()


def _load_rendering(queues: set[str]) -> None:
    """And the default model, where this worker is one that serves it."""
    from adapters import catalogue
    from generation import devices, hardware
    from moderation.classifiers import image
    from provenance import installation, tile

    model = catalogue.find_model(None)
    if hardware.queue_of(model) in queues:
        devices.engine_for(model)
    image.classifier()
    _load_screening()  # of the live page's prompts
    for number in range(tile.SETS):  # each takes a second to make, and is kept
        tile.patterns(installation.keyring().watermark_key, number)
