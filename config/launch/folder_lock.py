"""The lock of a state folder: one house at a time, and where it answers."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "services.lock"


@contextmanager
def only_one(folder: Path) -> Iterator[bool]:
    """Hold the folder's lock while running; yields False when another process holds it.

    The kernel drops the lock with its process, so a stale file never blocks a start.
    """
    with (folder / NAME).open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield True


def holder(folder: Path) -> str:
    """The process that holds the folder's lock, for people."""
    return _said_by_holder(folder)[0] or "unknown"


def announce(folder: Path, url: str) -> None:
    """Say where the house answers; to be called by the process that holds the lock."""
    with (folder / NAME).open("a") as lock:
        lock.write(f"\n{url}")


def address(folder: Path) -> str:
    """Where the house that runs in this folder answers; empty when none does."""
    try:
        with (folder / NAME).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _said_by_holder(folder)[1]
    except OSError:
        pass
    return ""


def _said_by_holder(folder: Path) -> tuple[str, str]:
    """Its process number, and its address once it has one."""
    number, _, url = (folder / NAME).read_text().partition("\n")
    return number.strip(), url.strip()
