"""Waiting for a process to get ready: as long as it lives and does something.

A busy machine takes minutes for what an idle one does in seconds, so no number of seconds says that
a start has failed. What says so is a process that ends, or one that does nothing at all.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

STILL_S = 60.0  # of no progress at all
SAY_EVERY_S = 10.0


def cpu_ticks(group: int) -> int:
    """CPU time that the processes of a group have taken, those that have ended included."""
    return sum(_ticks(path, group) for path in Path("/proc").glob("[0-9]*/stat"))


def _ticks(path: Path, group: int) -> int:
    try:
        words = path.read_text().rpartition(")")[2].split()
    except OSError:
        return 0  # it ended at this moment
    # Numbers of proc(5) less three: after the name comes field 3, the state.
    return sum(int(words[n]) for n in (11, 12, 13, 14)) if int(words[2]) == group else 0


def _aside(line: str) -> None:
    """Beside what a command prints."""
    print(line, file=sys.stderr, flush=True)


@dataclass
class Waiting:
    """For the group of process `group`, which is told about as `name`."""

    name: str
    group: int
    say: Callable[[str], None] = _aside
    clock: Callable[[], float] = time.monotonic
    ticks: Callable[[int], int] = cpu_ticks
    pause_s: float = 0.05
    _done: int = field(default=-1, init=False)

    def looks(self) -> Iterator[None]:
        """Once for each look at whether it is ready; ends when nothing has moved for a minute."""
        began_s = moved_s = said_s = self.clock()
        while True:
            yield
            now_s = self.clock()
            if (done := self.ticks(self.group)) != self._done:
                self._done, moved_s = done, now_s
            if now_s - moved_s > STILL_S:
                return
            if now_s - said_s > SAY_EVERY_S:
                said_s = now_s
                self.say(f"· waiting for {self.name}, which is at work: {now_s - began_s:.0f} s")
            time.sleep(self.pause_s)
