"""Real Celery workers in processes of their own, on the servers of the test run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

from django.conf import settings
from django.db import connection

from config.launch.programs import WEB_OPTIONS

LOG = settings.STATE_DIR / "worker-under-test.log"


def test_database_url() -> str:
    """The address of the database that this test writes to."""
    parts = urlsplit(settings.DATABASE_URL)
    return urlunsplit(parts._replace(path=f"/{connection.settings_dict['NAME']}"))


class Wire:
    """A TCP line to a server that can be cut and mended; nothing answers while it is cut."""

    def __init__(self, host: str, port: int) -> None:
        self._server = (host, port)
        self._ends: list[socket.socket] = []
        self.port = 0
        self.mend()

    def mend(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self.port = self._listener.getsockname()[1]
        Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def cut(self) -> None:
        for end in (self._listener, *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):  # the listener was closed
            while True:
                near, _ = listener.accept()
                far = socket.create_connection(self._server)
                self._ends += [near, far]
                for source, sink in ((near, far), (far, near)):
                    Thread(target=self._carry, args=(source, sink), daemon=True).start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@contextmanager
def celery_worker(
    *, queue: str = "gpu", threads: str = "4", **environment: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A worker that is killed at the end, unless it has stopped before."""
    name = f"{uuid4().hex[:8]}@%h"
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "threads"]
    command += ["-c", threads, "-Q", queue, "-n", name]
    command += ["--without-gossip", "--without-mingle", "-l", "INFO"]
    with _running(command, environment) as process:
        yield process


@contextmanager
def _running(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    variables = {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROOFSHEET_STATE_DIR": str(settings.STATE_DIR),
        "DATABASE_URL": test_database_url(),
        "BROKER_URL": settings.BROKER_URL,
        "CACHE_URL": settings.CACHE_URL,
    }
    with LOG.open("ab") as log:
        process = subprocess.Popen(
            command,
            cwd=settings.ROOT,
            env=os.environ | variables | environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        kill(process)


@contextmanager
def web_server(*, port: int, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """One web process on that port, which is killed at the end."""
    command = [str(Path(sys.executable).with_name("granian")), *WEB_OPTIONS, "--workers", "1"]
    command += ["--host", "127.0.0.1", "--port", str(port), "config.asgi:application"]
    with _running(command, environment) as process:
        yield process


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL: nothing in it can clean up."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def wait_until(happened: Callable[[], bool], *, seconds: float = 60.0, pause: float = 0.02) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds:g} s; see {log_tail()}"
        time.sleep(pause)


def log_tail() -> str:
    return LOG.read_text()[-3000:]
