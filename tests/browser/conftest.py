"""A whole house on a database of its own, and headless Chromium before it.

The processes are the ones that `make run` starts (granian, Celery, beat), with one worker for all
queues, on the test run's own PostgreSQL and Valkey.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from django.conf import settings
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from config.launch.child_processes import free_port, spawn
from config.launch.programs import program
from tests.conftest import MIGRATED
from tests.settings import APP_DATABASE_URL

DATABASE = "house_in_the_browser"
CHROMIUM = (
    "chromium-headless-shell",  # draws the same pages in a third of the processor time
    "chromium",
    "chromium-browser",
    "google-chrome",
    "chrome",
)
NO_CHROMIUM = "no Chromium is installed: `apt-get install chromium` brings it"
PATIENCE_MS = 30_000  # two busy cores; a test that passes never waits so long


@dataclass(frozen=True)
class House:
    """A running house: its address, the demo accounts' passwords, where its logs are."""

    url: str
    passwords: dict[str, str]
    logs: Path


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser. Asked for first, so that nothing is started without one."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(NO_CHROMIUM)
    return found


@pytest.fixture(scope="session")
def house(
    chromium: str, django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    state = tmp_path_factory.mktemp("house")
    port = free_port()
    environment = _environment(state, port)
    with psycopg.connect(settings.DATABASE_URL, autocommit=True) as admin:
        known = [name for (name,) in admin.execute("SELECT datname FROM pg_database")]
        template = MIGRATED if MIGRATED in known else "template1"
        admin.execute(f"CREATE DATABASE {DATABASE} TEMPLATE {template}")
        command = [sys.executable, "manage.py", "prepare_house"]
        done = subprocess.run(
            command, cwd=settings.ROOT, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr[-800:]
        passwords = json.loads((state / "keys" / "demo_passwords.json").read_text())
        with _processes(state, port, environment):
            _wait_until_it_answers(port)
            yield House(f"http://127.0.0.1:{port}", passwords, state)
        admin.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")


def _environment(state: Path, port: int) -> dict[str, str]:
    """Valkey's databases 4 and 5: the first ones belong to the tests in this process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "PYTHONPATH") if name in os.environ}
    database = urlsplit(APP_DATABASE_URL)._replace(path=f"/{DATABASE}")
    owner = urlsplit(settings.DATABASE_URL)._replace(path=f"/{DATABASE}")
    return kept | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROOFSHEET_STATE_DIR": str(state),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "PROOFSHEET_UNDO_SECONDS": "8",
        "AUDIT_PASSED_PER_MILLE": "0",  # a story knows which cases wait
        "AUDIT_FLAGGED_PER_MILLE": "0",
        "WEBHOOKS_TO_LOOPBACK": "1",
        "DATABASE_URL": urlunsplit(database),
        "DATABASE_OWNER_URL": urlunsplit(owner),
        "BROKER_URL": settings.BROKER_URL.rsplit("/", 1)[0] + "/4",
        "CACHE_URL": settings.CACHE_URL.rsplit("/", 1)[0] + "/5",
        "OMP_NUM_THREADS": "1",
    }


@contextmanager
def _processes(state: Path, port: int, environment: dict[str, str]) -> Iterator[None]:
    web = [
        program("granian"), "--interface", "asginl", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--no-ws", "--workers-kill-timeout", "3", "config.asgi:application",
    ]  # fmt: skip
    worker = [
        program("celery"), "-A", "config", "--quiet", "worker", "--loglevel", "INFO",
        "--without-gossip", "--without-mingle", "-P", "threads", "-c", "3",
        "-Q", "gpu,cpu,beat,outbox", "-n", "browser@%h",
    ]  # fmt: skip
    beat = [
        program("celery"), "-A", "config", "--quiet", "beat", "--loglevel", "INFO",
        "-s", str(state / "beat"), "--pidfile", "",
    ]  # fmt: skip
    with ExitStack() as stack:
        for name, command in (("web", web), ("worker", worker), ("beat", beat)):
            process = spawn(
                command,
                log=state / f"{name}.log",
                dies_by=signal.SIGKILL,
                cwd=settings.ROOT,
                env=environment,
            )
            stack.callback(_end, process)
        yield


def _end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGTERM)
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=10)
            connection.request("GET", "/")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.2)
    raise TimeoutError("the web server did not answer within 60 s")


@pytest.fixture(scope="package")
def browser(chromium: str, django_db_setup: None) -> Iterator[Browser]:
    """One browser for this folder: Playwright's event loop runs in this thread until it is closed,
    and the other tests' own loops and database calls must not meet it: the database comes first."""
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        launched = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield launched
        launched.close()


OpenPage = Callable[..., Page]


@pytest.fixture(scope="package")
def sessions(browser: Browser, house: House) -> Callable[[str], Any]:
    """The cookies of a person who signed in through the form, once."""

    @cache
    def session_of(name: str) -> Any:
        context = browser.new_context(base_url=house.url)
        sign_in(context.new_page(), name, house.passwords[name])
        state = context.storage_state()
        context.close()
        return state

    return session_of


@pytest.fixture
def open_page(browser: Browser, house: House, sessions: Callable[[str], Any]) -> Iterator[OpenPage]:
    """`open_page(as_="alice", at="/gallery/", width=390, java_script_enabled=False)`: a page in a
    fresh context. At the end no page may have complained on its console."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_one(*, as_: str | None = None, at: str = "", width: int = 1280, **said: Any) -> Page:
        context = browser.new_context(
            base_url=house.url,
            viewport={"width": width, "height": 860},
            storage_state=sessions(as_) if as_ else None,
            **said,
        )
        context.set_default_timeout(PATIENCE_MS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda line: _note(complaints, line))
        if at:
            page.goto(at)
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert complaints == []


def _note(complaints: list[str], line: Any) -> None:
    """Errors and warnings, a policy violation among them; not the lines about a 4xx answer, which
    Chromium and htmx write although the page shows what it says."""
    is_answer = line.text.startswith(("Failed to load resource", "Response Status Error Code 4"))
    if line.type in {"error", "warning"} and not is_answer:
        complaints.append(f"{line.type}: {line.text}")


def open_once(page: Page, address: str, *, says: str) -> None:
    """Open a page as soon as it says that (a pattern); what is sent or settled after an undo window
    takes seconds. Until then it is asked for without being drawn, which costs far more."""
    for _ in range(240):
        if re.search(says, page.request.get(address).text()):
            break
        page.wait_for_timeout(500)
    page.goto(address)


def sign_in(page: Page, name: str, password: str) -> None:
    page.goto("/accounts/login/")
    page.get_by_label("Name or email").fill(name)
    page.get_by_label("Password").fill(password)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/studio/")
