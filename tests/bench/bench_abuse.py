"""What one address, one account or one file can do to everybody else.

    make bench-abuse

Starts the web server as `make run` does, on servers of its own and without workers, and does to it
what an attacker would; meanwhile somebody at another address opens the sign-in page again and
again. All of it runs on the same cores.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from statistics import median
from threading import Event, Thread
from types import TracebackType
from typing import Any

OUTSIDE = dict(os.environ)  # without the addresses of this benchmark's own servers
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

import django  # noqa: E402 - what lies around is kept first

django.setup()

from django.conf import settings  # noqa: E402 - Django is set up first
from django.contrib.auth.models import User  # noqa: E402 - likewise
from django.core.management import call_command  # noqa: E402 - likewise
from django.test import Client  # noqa: E402 - likewise

from config.launch.child_processes import free_port  # noqa: E402 - likewise
from config.launch.programs import WEB_OPTIONS, program  # noqa: E402 - likewise
from generation.studio.progress_stream import STREAMS_MAX  # noqa: E402 - likewise
from tests.bench.report import FOLDER, ROOT, Row, publish  # noqa: E402 - likewise
from tests.factories import make_model, make_request  # noqa: E402 - likewise

LINES = 1030
STREAMS, ACCOUNTS, ADDRESSES = 200, 25, 4
PAGE_MUST_S = 1.0
ELSEWHERE = "127.0.0.9"
TEXT = """# bench-abuse

What one address, one account or one file can do to everybody else. The web server runs as
`make run` starts it (one process), the attacker and a visitor on the same cores. Meanwhile the
visitor, at another address, opens the sign-in page again and again: `page_s` is the slowest of
these times, `low` the median, and it must stay under one second. While two hundred requests are
taken in at the same moment (`streams_opening`, `unknown_waits`) it waits for its turn among them:
that has no target.

| attack | what |
|---|---|
| `silent` | {lines} connections that say nothing |
| `half_head` | {lines} connections that send half of a request's head |
| `half_body` | {lines} requests that promise 1,000 bytes and send three; they get 429 or 408 |
| `streams` | {streams} event streams of {accounts} accounts that wait, at four addresses |
| `streams_together` | 60 streams of one account in the same moment |
| `unknown_waits` | 200 long polls for live pictures that nobody asked for |

`closed_s` is when the last of the attacker's connections had been ended. Rows about pictures
send the dearest admissible file of eight kinds to a whole house as `make run` starts it; memory is
that of the web process and its children above idle (`tests/bench/abuse_pictures.py`).
"""


class Visitor:
    """Opens the sign-in page from another address until told to stop."""

    def __init__(self, port: int) -> None:
        self.times_s: list[float] = []
        self._port = port
        self._done = Event()
        self._thread = Thread(target=self._visit, daemon=True)

    def __enter__(self) -> Visitor:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._done.set()
        self._thread.join()

    def _visit(self) -> None:
        while not self._done.is_set():
            began = time.perf_counter()
            _page(self._port)
            self.times_s.append(time.perf_counter() - began)
            self._done.wait(0.1)

    def row(self, attack: str, *, must: float | None = PAGE_MUST_S) -> Row:
        low, high = median(self.times_s), max(self.times_s)
        return Row(
            f"{attack}_page_s", round(high, 3), "s", round(low, 3), round(high, 3),
            must=must, against=f"{len(self.times_s)} visits from another address",
        )  # fmt: skip


def _page(port: int) -> None:
    line = HTTPConnection("127.0.0.1", port, timeout=60, source_address=(ELSEWHERE, 0))
    try:
        line.request("GET", "/accounts/login/")
        status = line.getresponse().status
    except (OSError, HTTPException) as error:
        sys.exit(f"the visitor was not answered: {error!r}")
    finally:
        line.close()
    if status != 200:
        sys.exit(f"the visitor was answered {status}")


@contextmanager
def web() -> Iterator[int]:
    """The web server on the servers of this process, with its own rates out of the way."""
    port = free_port()
    urls = {"BROKER_URL": settings.BROKER_URL, "CACHE_URL": settings.CACHE_URL}
    rates = dict.fromkeys(("API_RATE_USER", "API_RATE_ANON", "API_RATE_VERIFY"), "100000/min")
    env = (
        os.environ
        | urls
        | rates
        | {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
    )
    collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
    subprocess.run(collect, cwd=ROOT, env=env, check=True)
    command = [program("granian"), *WEB_OPTIONS, "--port", str(port), "config.asgi:application"]
    with subprocess.Popen(command, cwd=ROOT, env=env) as server:
        while server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=60).close()
                break
            except OSError:
                time.sleep(0.1)
        _page(port)
        yield port
        server.terminate()


def lines(port: int, attack: str, said: bytes) -> list[Row]:
    """Open many connections, say that on each, and wait until the server has ended them all."""
    with Visitor(port) as visitor:
        began = time.perf_counter()
        opened = [socket.create_connection(("127.0.0.1", port), timeout=120) for _ in range(LINES)]
        for line in opened:
            line.sendall(said)
        for line in opened:
            _read_to_the_end(line)
        closed_s = time.perf_counter() - began
    row = Row(
        f"{attack}_closed_s", round(closed_s, 1), "s", must=60, against=f"{LINES} connections"
    )
    return [visitor.row(attack), row]


def _read_to_the_end(line: socket.socket) -> None:
    with line:
        try:
            while line.recv(65536):
                pass
        except ConnectionResetError:
            return


def cookies(users: list[User]) -> list[str]:
    found = []
    for user in users:
        client = Client()
        client.force_login(user)
        found.append(f"sessionid={client.cookies['sessionid'].value}")
    return found


async def opened(port: int, path: str, cookie: str, number: int) -> tuple[int, Any]:
    """Status of a GET whose answer may never end, and what keeps it open."""
    source = (f"127.0.1.{1 + number % ADDRESSES}", 0)
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=source)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nCookie: {cookie}\r\n\r\n".encode())
    head = await reader.readuntil(b"\r\n")
    return int(head.split()[1]), (reader, writer)


async def _all(port: int, path: str, told: list[str]) -> list[int]:
    """Statuses; all are open together, and then closed."""
    found = await asyncio.gather(
        *(opened(port, path, cookie, number) for number, cookie in enumerate(told))
    )
    for _, (_, writer) in found:
        writer.close()
    return [status for status, _ in found]


async def _held(port: int, told: list[str]) -> tuple[list[int], list[Visitor]]:
    """Statuses of streams, and who came while they were opened and while they were open."""
    with Visitor(port) as opening:
        path = "/studio/events/"
        found = await asyncio.gather(
            *(opened(port, path, cookie, number) for number, cookie in enumerate(told))
        )
    with Visitor(port) as beside:
        await asyncio.sleep(20)
    for _, (_, writer) in found:
        writer.close()
    return [status for status, _ in found], [opening, beside]


def streams(port: int) -> list[Row]:
    model = make_model()
    users = [User.objects.create_user(f"user{number}") for number in range(ACCOUNTS)]
    for user in users:
        make_request(user, model)
    known = cookies(users)
    together = asyncio.run(_all(port, "/studio/events/", known[:1] * 60))
    time.sleep(2)
    told, (opening, visitor) = asyncio.run(_held(port, known * (STREAMS // ACCOUNTS)))
    with Visitor(port) as beside:
        began = time.perf_counter()
        path = "/studio/live/00000000-0000-4000-8000-000000000000/"
        unknown = asyncio.run(_all(port, path, known * 8))
        answered_s = time.perf_counter() - began
    if set(unknown) - {404, 429}:
        sys.exit(f"unknown pictures were answered {set(unknown)}")
    return [
        Row("streams_together_got_in", together.count(200), "streams", must=STREAMS_MAX,
            against="60 of one account together"),
        Row("streams_got_in", told.count(200), "streams", better="higher", must=STREAMS,
            against=f"{STREAMS} of {ACCOUNTS} accounts at {ADDRESSES} addresses"),
        opening.row("streams_opening", must=None),
        visitor.row("streams"),
        Row("unknown_waits_answered_s", round(answered_s, 2), "s", must=10, against="200 at once"),
        beside.row("unknown_waits", must=None),
    ]  # fmt: skip


def pictures() -> list[Row]:
    """On a whole house of its own, so in a process that knows nothing of this one's servers."""
    command = [sys.executable, "-m", "tests.bench.abuse_pictures"]
    done = subprocess.run(command, env=OUTSIDE, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return [Row(**row) for row in json.loads(done.stdout)]


def main() -> None:
    call_command("migrate", verbosity=0)
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\nabc"
    with web() as port:
        rows = lines(port, "silent", b"")
        rows += lines(port, "half_head", request[:40])
        rows += lines(port, "half_body", request)
        rows += streams(port)
    publish("abuse", rows + pictures())
    text = TEXT.format(lines=f"{LINES:,}", streams=STREAMS, accounts=ACCOUNTS)
    (FOLDER / "abuse.md").write_text(text)


if __name__ == "__main__":
    main()
