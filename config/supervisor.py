"""`make run`: the whole house on one host under one supervisor.

Starts the embedded servers (unless DATABASE_URL and BROKER_URL name others), brings the database
up to date, then runs the web server, both Celery workers and beat until Ctrl-C. A child that dies
is started again; one that dies five times in a minute stops the house with its last log line.
"""

import argparse
import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config import services

ROOT = services.ROOT
RESTARTS_ALLOWED, RESTART_WINDOW_SECONDS = 5, 60
STOP_SECONDS = 20


class CannotStart(Exception):
    """One sentence about why the house cannot start."""


def say(line: str) -> None:
    print(line, flush=True)


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def require_free_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise CannotStart(
                f"Port {port} is taken by another program: stop it or choose one with "
                f"`make run PORT={port + 1}`."
            ) from error


@dataclass
class Child:
    """One process of the house, its output in its own log file."""

    name: str
    command: Sequence[str]
    log_path: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    starts: deque[float] = field(default_factory=lambda: deque(maxlen=RESTARTS_ALLOWED))

    def start(self) -> None:
        self.starts.append(time.monotonic())
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                self.command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True
            )

    def has_died(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def dies_too_often(self) -> bool:
        full = len(self.starts) == RESTARTS_ALLOWED
        return full and time.monotonic() - self.starts[0] < RESTART_WINDOW_SECONDS

    def signal(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)


def children(host: str, port: int, logs: Path) -> list[Child]:
    celery = [program("celery"), "-A", "config", "--quiet"]
    worker = [*celery, "worker", "--loglevel", "INFO", "--without-gossip", "--without-mingle"]
    commands: dict[str, list[str]] = {
        "web": [
            program("granian"), "--interface", "asginl", "--host", host, "--port", str(port),
            "--workers", "1", "--no-ws", "config.asgi:application",
        ],
        "render": [*worker, "-P", "threads", "-c", "1", "-Q", "gpu", "-n", "render@%h"],
        "cpu": [*worker, "-P", "threads", "-c", "2", "-Q", "cpu", "-n", "cpu@%h"],
        "beat": [*celery, "beat", "--loglevel", "WARNING", "-s", str(logs.parent / "beat")],
    }  # fmt: skip
    return [Child(name, command, logs / f"{name}.log") for name, command in commands.items()]


def manage(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        last = (done.stderr or done.stdout).strip().splitlines()[-1:]
        raise CannotStart(f"`manage.py {arguments[0]}` failed: {' '.join(last)}")


def prepare() -> str:
    """Bring database, keys, static files and demo accounts up to date; the accounts' table."""
    say("· database schema")
    manage("migrate", "--noinput", "--verbosity=0")
    say("· static files")
    manage("collectstatic", "--noinput", "--verbosity=0")
    say("· signing keys, starter model, demo accounts")
    done = subprocess.run(
        [sys.executable, "manage.py", "prepare_house"], cwd=ROOT, capture_output=True, text=True
    )
    if done.returncode:
        raise CannotStart(f"`manage.py prepare_house` failed: {done.stderr.strip()[-300:]}")
    return done.stdout


def wait_for_web(child: Child, host: str, port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if child.has_died():
            raise CannotStart(f"The web server stopped at start; see {child.log_path}.")
        with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
            return
        time.sleep(0.1)
    raise CannotStart(f"The web server did not answer within 60 s; see {child.log_path}.")


def watch(house: list[Child]) -> None:
    """Restart what dies until a signal arrives or something dies too often."""
    while True:
        time.sleep(0.5)
        for child in house:
            if not child.has_died():
                continue
            if child.dies_too_often():
                raise CannotStart(f"{child.name} keeps stopping; see {child.log_path}.")
            say(f"· {child.name} stopped and is started again")
            child.start()


def stop(house: list[Child]) -> None:
    for child in house:
        child.signal(signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    for child in house:
        if child.process is None:
            continue
        try:
            child.process.wait(timeout=max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.signal(signal.SIGKILL)
            child.process.wait()


def run(host: str, port: int) -> None:
    state = services.state_dir()
    logs = state / "logs"
    with contextlib.ExitStack() as stack:
        if not stack.enter_context(services.only_one(state)):
            raise CannotStart(
                f"Proofsheet is already running from {state}: stop it with Ctrl-C in its window."
            )
        require_free_port(host, port)
        services.require_space(state)
        logs.mkdir(parents=True, exist_ok=True)
        if not services.is_external():
            say("· PostgreSQL and Valkey")
            stack.enter_context(services.embedded(state))
        accounts = prepare()
        house = children(host, port, logs)
        stack.callback(stop, house)
        say("· web server, workers, beat")
        for child in house:
            child.start()
        wait_for_web(house[0], host, port)
        say(f"\nProofsheet answers at http://{host}:{port}/\n\n{accounts}")
        say('Try: log in as alice, type "a red apple" in the studio. Ctrl-C stops everything.')
        watch(house)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def main() -> int:
    parser = argparse.ArgumentParser(prog="make run", description="Run the whole house on one host")
    parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
    options = parser.parse_args()
    os.environ.setdefault("PUBLIC_URL", f"http://{options.host}:{options.port}")
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    try:
        run(options.host, options.port)
    except KeyboardInterrupt:
        say("\nStopped; everything is kept under var/.")
        return 0
    except (CannotStart, services.ServiceError) as error:
        print(f"Proofsheet cannot start. {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
