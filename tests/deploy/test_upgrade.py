"""An upgrade under load: the last release serves while the new one migrates and takes over."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit, urlunsplit
from urllib.request import Request, urlopen
from uuid import uuid4

import psycopg
import pytest
from django.conf import settings

from config.launch.child_processes import free_port
from config.launch.embedded_servers import ROOT
from config.launch.programs import WEB_OPTIONS, program

BEFORE = "cac5bebb5b8080f33084231fea444db03236b13f"
"""Where no release is tagged: before the newest migrations of 0.1.0."""
MODEL = Path("generation/starter/model")
DATABASES = ("BROKER_URL", "/5"), ("CACHE_URL", "/6")  # of the tests' Valkey, which this house has


def git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()


LAST = git("describe", "--tags", "--match", "v*", "--abbrev=0") or git(
    "rev-parse", "-q", "--verify", BEFORE
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not LAST, reason="this checkout has no history to take a release from"),
]


@dataclass
class Release:
    """A tree of the house, and the processes that were started from it."""

    tree: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def manage(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=self.tree, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
        return done.stdout

    def start(self, *command: str) -> None:
        log = (Path(self.environment["PROOFSHEET_STATE_DIR"]) / "processes.log").open("ab")
        self.running.append(
            subprocess.Popen(
                command, cwd=self.tree, env=self.environment, stdout=log, stderr=log,
                start_new_session=True,
            )
        )  # fmt: skip

    def web(self) -> str:
        port = free_port()
        words = ("--workers", "1", "--host", "127.0.0.1", "--port", str(port))
        self.start(program("granian"), *WEB_OPTIONS, *words, "config.asgi:application")
        address = f"http://127.0.0.1:{port}"
        wait_until(lambda: answers(address))
        return address

    def workers(self) -> None:
        celery = (sys.executable, "-m", "celery", "-A", "config")
        for queues, threads in (("gpu", "4"), ("cpu,beat", "2")):
            name = ("-n", f"{uuid4().hex[:8]}@%h", "--without-gossip", "--without-mingle")
            self.start(*celery, "worker", "-P", "threads", "-c", threads, "-Q", queues, *name)
        place = Path(self.environment["PROOFSHEET_STATE_DIR"]) / f"beat-{uuid4().hex}"
        self.start(*celery, "beat", "-s", str(place))

    def stop(self) -> None:
        """As whoever rolls a release out: asked, and waited for."""
        for each in self.running:
            each.send_signal(signal.SIGTERM)
        for each in self.running:
            each.wait(timeout=120)

    def kill(self) -> None:
        for each in self.running:
            if each.poll() is None:
                os.killpg(each.pid, signal.SIGKILL)
                each.wait()


@dataclass
class Load:
    """Somebody who submits a picture a second, at the address that the proxy has just now."""

    address: str
    key: str
    accepted: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def ask(self, path: str, body: object = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        with urlopen(Request(self.address + path, data, headers), timeout=60) as answer:
            return json.load(answer)

    def submit(self) -> None:
        order = {"prompt": "a red apple", "seed": len(self.accepted), "steps": 4}
        try:
            self.accepted.append(self.ask("/api/v1/generations/", order)["id"])
        except HTTPError as error:
            if error.code != 429:  # too many wait: told so, and tried again
                self.errors.append(f"{error.code} {error.read()[:300]!r}")
        except OSError as error:
            self.errors.append(repr(error))

    def status(self, request: str) -> str:
        return str(self.ask(f"/api/v1/generations/{request}/")["status"])

    def under_way(self) -> list[str]:
        waiting = {"submitted", "queued", "running"}
        return [request for request in self.accepted if self.status(request) in waiting]

    @contextmanager
    def going_on(self) -> Iterator[None]:
        over = Event()

        def go() -> None:
            while not over.wait(1):
                self.submit()

        thread = Thread(target=go, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def answers(address: str) -> bool:
    try:
        return bool(urlopen(f"{address}/readyz", timeout=5).status == 200)
    except OSError:
        return False


def wait_until(happened: Any, *, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"waited {seconds:g} s"
        time.sleep(0.5)


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[dict[str, str]]:
    """A house of its own on the servers of the tests: a database, and two of the cache's."""
    name = f"upgrade_{uuid4().hex}"
    place = urlsplit(settings.DATABASE_URL)
    said = {name: os.environ[name] for name in ("PATH", "HOME")}
    said["DATABASE_URL"] = urlunsplit(place._replace(path=f"/{name}"))
    for setting, path in DATABASES:
        said[setting] = urlunsplit(urlsplit(settings.BROKER_URL)._replace(path=path))
    said |= {"PROOFSHEET_STATE_DIR": str(tmp_path / "state"), "PROOFSHEET_TORCH_THREADS": "1"}
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        admin.execute(f'CREATE DATABASE "{name}"')
        yield said
        admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


@pytest.fixture
def releases(tmp_path: Path, environment: dict[str, str]) -> Iterator[tuple[Release, Release]]:
    """The last one, as the history has it, and this one."""
    tree = tmp_path / "last"
    tree.mkdir()
    archive = subprocess.run(["git", "archive", LAST], cwd=ROOT, capture_output=True, check=True)
    subprocess.run(["tar", "-x"], cwd=tree, input=archive.stdout, check=True)
    for part in ("text_encoder", "tokenizer"):
        (tree / MODEL / part).symlink_to(ROOT / MODEL / part)
    old, new = Release(tree, environment), Release(ROOT, environment)
    with ExitStack() as stack:
        stack.callback(new.kill)
        stack.callback(old.kill)
        yield old, new


def test_new_release_takes_over_under_load_and_nothing_is_lost(
    releases: tuple[Release, Release],
) -> None:
    old, new = releases
    old.manage("prepare_house")
    key = old.manage("make_key", "alice", "--scope", "read", "--scope", "generate").split()[-1]
    load = Load(old.web(), key)
    old.workers()
    load.submit()
    wait_until(lambda: load.status(load.accepted[0]) == "finished")
    with load.going_on():
        before = len(load.accepted)
        new.manage("prepare_house")
        wait_until(lambda: len(load.accepted) > before + 4)  # the old one, on the new tables
        load.address = new.web()
        new.workers()
        wait_until(lambda: len(load.accepted) > before + 8)
        old.stop()
        wait_until(lambda: len(load.accepted) > before + 12)
    assert not load.errors
    for request in load.accepted:
        wait_until(
            lambda request=request: load.status(request) not in {"submitted", "queued", "running"}
        )
    assert [load.status(request) for request in load.accepted] == ["finished"] * len(load.accepted)
    assert not new.manage("showmigrations", "--plan").count("[ ]")
    new.manage("verify_log")
