"""Waiting for somebody else's server for a short while, and then doing without it. No Django.

After a failure nobody asks again for some time, so that a server which is down costs one wait and
not one for each picture.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass
class Patience(Generic[T]):
    """How long to wait for an answer, and how long to rest after one that failed."""

    name: str
    seconds: float
    rest_seconds: float = 60.0
    clock: Callable[[], float] = time.monotonic
    _rests_until: float = field(default=float("-inf"), init=False)

    @property
    def is_resting(self) -> bool:
        return self.clock() < self._rests_until

    def attempt(self, job: Callable[[], T]) -> T | None:
        """What the job returns, or None where it fails, is late, or is not tried.

        A late job goes on in its own thread, and what it returns is dropped.
        """
        if self.is_resting:
            return None
        answers: queue.SimpleQueue[T | Exception] = queue.SimpleQueue()

        def run() -> None:
            try:
                answers.put(job())
            except Exception as error:  # told below; without it the thread would end in silence
                answers.put(error)

        threading.Thread(target=run, name=self.name, daemon=True).start()
        try:
            answer = answers.get(timeout=self.seconds)
        except queue.Empty:
            answer = TimeoutError(f"no answer within {self.seconds:g} s")
        if isinstance(answer, Exception):
            self._rests_until = self.clock() + self.rest_seconds
            logger.warning("%s is not asked for a while: %s", self.name, answer)
            return None
        return answer
