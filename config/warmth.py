"""Loads what a worker needs while it waits, so that the first picture does not wait for imports."""

from __future__ import annotations

import logging
from threading import Thread
from typing import Any

from celery.signals import worker_ready
from django.db import connection

logger = logging.getLogger(__name__)


@worker_ready.connect
def warm_up(sender: Any, **_: Any) -> None:
    queues = set(sender.app.amqp.queues.consume_from)
    Thread(target=_load, args=(queues,), name="warm-up", daemon=True).start()


def _load(queues: set[str]) -> None:
    """Whatever fails here fails again, and is told, where it is needed."""
    try:
        if "cpu" in queues:
            from moderation.classifiers import prompt

            prompt.classifier()
        if "gpu" in queues:
            _load_default_model()
    except Exception:
        logger.warning("the warm-up failed; the first request loads what it needs", exc_info=True)
    finally:
        connection.close()


def _load_default_model() -> None:
    from adapters import catalogue
    from generation import devices
    from moderation.classifiers import image

    with devices.Turn():
        devices.pipeline_for(catalogue.find_model(None))
    image.classifier()
