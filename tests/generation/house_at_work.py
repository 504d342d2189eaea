"""A house that works beside a test: what is submitted is screened and drawn in a thread meanwhile,
as Celery's workers would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

from django.db import connection

from config.core import clock
from generation.models import GenerationRequest, RequestStatus
from generation.requests import prompt_screening
from generation.work import worker


@contextmanager
def at_work(*, draws: bool = True) -> Iterator[None]:
    """Raises what the workers raised."""
    over, errors = Event(), []

    def work() -> None:
        try:
            while not over.wait(0.01):
                _step(draws)
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    thread = Thread(target=work, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    if errors:
        raise errors[0]


def _step(draws: bool) -> None:
    waiting = GenerationRequest.objects.filter(status=RequestStatus.SUBMITTED, is_held=False)
    for request_id in waiting.values_list("id", flat=True):
        prompt_screening.screen(request_id, at=clock.now())
    if draws:
        worker.work_one(now=clock.now)
