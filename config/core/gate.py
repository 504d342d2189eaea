"""How many do something costly at once, and how many may wait for it. Pure."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from config.core.errors import ProofsheetError


class Busy(ProofsheetError):
    """As many as may be are at it, and as many wait."""

    default_code = "busy"
    default_message = "Too many pictures are being looked at just now."
    default_advice = "Try again in a few seconds."
    default_status = 503
    retry_after_s = 5


class Gate:
    """Lets `at_once` threads through, and lets others wait for `patience_s` seconds each, no more
    than `most_waiting` of them; whoever comes then is told so at once.
    """

    def __init__(self, at_once: int, *, most_waiting: int, patience_s: float) -> None:
        self._free, self.waiting = at_once, 0
        self._most_waiting, self._patience_s = most_waiting, patience_s
        self._changed = Condition()

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Raises `Busy`."""
        with self._changed:
            self._enter()
        try:
            yield
        finally:
            with self._changed:
                self._free += 1
                self._changed.notify()

    def _enter(self) -> None:
        if not self._free:
            if self.waiting >= self._most_waiting:
                raise Busy
            self.waiting += 1
            try:
                if not self._changed.wait_for(lambda: self._free > 0, self._patience_s):
                    raise Busy
            finally:
                self.waiting -= 1
        self._free -= 1
