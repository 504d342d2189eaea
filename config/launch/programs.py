"""The processes of the house under one supervisor: web server, three workers, beat."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.launch.child_processes import CannotStart, is_running, spawn
from config.launch.embedded_servers import ROOT

RESTARTS_ALLOWED, RESTART_WINDOW_SECONDS = 5, 60
STOP_SECONDS = 20
LOG_BYTES = 20 * 1024 * 1024
# Headers come within five seconds. HTTP/1 alone: while granian guesses the protocol of a connection
# that says nothing, no clock runs. Enough connections that a thousand idle ones fill nothing.
WEB_OPTIONS = (
    "--interface", "asginl", "--no-ws", "--http", "1", "--http1-header-read-timeout", "5000",
    "--backlog", "4096", "--backpressure", "4096", "--workers-kill-timeout", "3",
)  # fmt: skip


def program(name: str) -> str:
    """The path of a program of this virtual environment."""
    return str(Path(sys.executable).with_name(name))


@dataclass
class Child:
    """One process of the house, its output in its own log file.

    `dies_by` reaches it when the supervisor is killed. A worker in the middle of a picture gets
    SIGKILL: its request's lease runs out and the next run takes the request up again.
    """

    name: str
    command: Sequence[str]
    log_path: Path
    dies_by: signal.Signals = signal.SIGTERM
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_ALLOWED))

    def start(self) -> None:
        self.signal(signal.SIGKILL)  # what a dead process left in its group
        self.starts.append(time.monotonic())
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        self.process = spawn(self.command, log=self.log_path, dies_by=self.dies_by, cwd=ROOT)

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def dies_too_often(self) -> bool:
        full = len(self.starts) == RESTARTS_ALLOWED
        return full and time.monotonic() - self.starts[0] < RESTART_WINDOW_SECONDS

    def signal(self, number: signal.Signals) -> None:
        if self.process:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def web_workers() -> int:
    """WEB_WORKERS, or one process for each two cores, at most four: rendering wants the others.

    Raises CannotStart.
    """
    cores = len(os.sched_getaffinity(0))
    said = os.environ.get("WEB_WORKERS") or str(max(1, min(4, cores // 2)))
    if not (said.isascii() and said.isdecimal() and int(said)):
        raise CannotStart(f"WEB_WORKERS is {said!r}: write a whole number from 1.")
    return int(said)


def children(host: str, port: int, logs: Path) -> list[Child]:
    """The processes of a house on one host, the web server first."""
    os.environ.setdefault("DRAIN_SECONDS", str(STOP_SECONDS - 5))  # before they are killed
    celery = [program("celery"), "-A", "config", "--quiet"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    web = [
        program("granian"), *WEB_OPTIONS, "--host", host, "--port", str(port),
        "--workers", str(web_workers()), "config.asgi:application",
    ]  # fmt: skip
    # Eight requests share the device's batch; two threads more, for while a picture is marked,
    # screened and stored its thread feeds nothing.
    render = [*worker, "-P", "threads", "-c", "10", "-Q", "gpu", "-n", "render@%h"]
    cpu = [*worker, "-P", "threads", "-c", "2", "-Q", "cpu,beat", "-n", "cpu@%h"]
    # Threads that wait for other servers, mostly; half of them for those that are slow.
    outbox = [*worker, "-P", "threads", "-c", "32", "-Q", "outbox", "-n", "outbox@%h"]
    beat = [*celery, "beat", "--loglevel", "WARNING", "-s", str(logs.parent / "beat")]
    return [
        Child("web", web, logs / "web.log"),
        Child("render", render, logs / "render.log", dies_by=signal.SIGKILL),
        Child("cpu", cpu, logs / "cpu.log", dies_by=signal.SIGKILL),
        Child("outbox", outbox, logs / "outbox.log", dies_by=signal.SIGKILL),
        Child("beat", beat, logs / "beat.log"),
    ]


def note_pids(house: list[Child], path: Path) -> None:
    """Write down who runs, for a start after this supervisor was killed."""
    path.write_text("".join(f"{child.process.pid}\n" for child in house if child.process))


def end_leftovers(path: Path, *, seconds: float = 10) -> None:
    """End what a killed supervisor left behind, and wait until it is gone and its port free."""
    pids = [int(word) for word in path.read_text().split()] if path.exists() else []
    deadline = time.monotonic() + seconds
    mark = str(Path(sys.executable).parent)
    while left := [pid for pid in pids if is_running(pid, mark)]:
        number = signal.SIGTERM if time.monotonic() < deadline else signal.SIGKILL
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)
        time.sleep(0.2)
    path.unlink(missing_ok=True)


def stop(house: list[Child]) -> None:
    """Ask every child to end, wait, then end by force what is left in their groups."""
    for child in house:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in house:
        if child.process is None:
            continue
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        child.signal(signal.SIGKILL)
        child.process.wait()
