"""One address cannot fill the server, and nobody but a proxy of the house names another's."""

from __future__ import annotations

import asyncio
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.core.cache import cache
from django.test import Client, RequestFactory
from django.utils.module_loading import import_string
from rest_framework.throttling import SimpleRateThrottle

from config.launch.child_processes import free_port
from config.launch.embedded_servers import ROOT
from config.launch.programs import WEB_OPTIONS, program
from config.web.crowding import Crowding, Proxies, sender_of, without_claims
from config.web.early_answers import Message, Receive, Scope, Send
from moderation.reports import report_limits
from provenance.verify.submitted_files import VerifyThrottle

NEAR = Proxies.at(["10.0.0.0/8"], count=1)
NONE = Proxies.at(["10.0.0.0/8"], count=0)


def scope_of(peer: str, **headers: str) -> Scope:
    told = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return {"type": "http", "path": "/api/x/", "client": (peer, 1), "headers": told}


@pytest.mark.parametrize(
    ("peer", "named", "proxies", "sender"),
    [
        ("192.0.2.7", "", NONE, "192.0.2.7"),
        ("10.0.0.2", "198.51.100.1", NEAR, "198.51.100.1"),
        ("10.0.0.2", "203.0.113.9, 198.51.100.1", NEAR, "198.51.100.1"),
        ("10.0.0.2", "198.51.100.1", NONE, "10.0.0.2"),
        ("192.0.2.7", "198.51.100.1", NEAR, "192.0.2.7"),
        ("10.0.0.2", "198.51.100.1", Proxies.at(["10.0.0.0/8"], count=2), "10.0.0.2"),
        ("::ffff:10.0.0.2", "198.51.100.1", NEAR, "198.51.100.1"),
        ("2001:db8:1:2:3::4", "", NONE, "2001:db8:1:2::/64"),
        ("", "198.51.100.1", NEAR, "198.51.100.1"),
    ],
)
def test_a_sender_is_named_by_a_proxy_of_the_house_alone(
    peer: str, named: str, proxies: Proxies, sender: str
) -> None:
    said = {"x_forwarded_for": named} if named else {}
    assert sender_of(without_claims(scope_of(peer, **said), proxies), proxies) == sender


HOSTS = ["2001:db8:1:2:3::4", "2001:db8:1:2:ffff::1"]  # of one customer
NEIGHBOUR = "2001:db8:1:3::1"
THROTTLES: Any = settings.REST_FRAMEWORK["DEFAULT_THROTTLE_CLASSES"]


@pytest.mark.parametrize(
    "name",
    [
        *THROTTLES,
        "provenance.verify.submitted_files.VerifyThrottle",
    ],
)
def test_every_limit_of_the_api_counts_a_customers_addresses_as_one(name: str) -> None:
    throttle: SimpleRateThrottle = import_string(name)()
    requests: list[Any] = [RequestFactory(REMOTE_ADDR=host).get("/") for host in HOSTS]
    assert {throttle.get_ident(each) for each in requests} == {"2001:db8:1:2::/64"}
    mapped: Any = RequestFactory(REMOTE_ADDR="::ffff:192.0.2.7").get("/")
    assert throttle.get_ident(mapped) == "192.0.2.7"


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/api/v1/verify/", "/verify/"])
def test_another_address_of_a_customer_has_no_checks_of_its_own(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    cache.clear()
    monkeypatch.setattr(VerifyThrottle, "THROTTLE_RATES", {"verify": "2/min"})
    hosts = [HOSTS[0], HOSTS[1], HOSTS[0], HOSTS[1], NEIGHBOUR]
    told = [Client(REMOTE_ADDR=host).post(address).status_code for host in hosts]
    assert [status == 429 for status in told] == [False, False, True, True, False]
    cache.clear()


def test_reports_of_a_customers_addresses_are_one_senders() -> None:
    cache.clear()

    def asked(host: str) -> Any:
        request = RequestFactory(REMOTE_ADDR=host).post("/")
        request.user = AnonymousUser()
        return request

    assert len({report_limits.sender_of(asked(host)).digest for host in HOSTS}) == 1
    assert report_limits.sender_of(asked(NEIGHBOUR)) != report_limits.sender_of(asked(HOSTS[0]))
    for number in range(20):
        report_limits.throttle(asked(HOSTS[number % 2]))
    for host in HOSTS:
        with pytest.raises(report_limits.TooManyReports):
            report_limits.throttle(asked(host))
    report_limits.throttle(asked(NEIGHBOUR))
    cache.clear()


@pytest.mark.parametrize(("peer", "proxies"), [("192.0.2.7", NEAR), ("10.0.0.2", NONE)])
@pytest.mark.parametrize(
    "name", ["X-Forwarded-Proto", "x_forwarded_for", "X-Forwarded-Host", "Forwarded", "X-Real-IP"]
)
def test_claims_of_others_are_dropped(peer: str, proxies: Proxies, name: str) -> None:
    believed = without_claims(scope_of(peer, **{name: "https", "host": "a"}), proxies)
    assert believed["headers"] == [(b"host", b"a")]


def test_https_is_believed_of_a_proxy() -> None:
    scope = scope_of("10.0.0.2", x_forwarded_proto="https")
    assert without_claims(scope, NEAR) == scope


def test_a_wrong_network_is_refused() -> None:
    with pytest.raises(ValueError, match="proxy.example"):
        Proxies.at(["proxy.example"], count=1)


def test_an_address_with_many_requests_in_flight_gets_no_more_and_others_do() -> None:
    async def run() -> tuple[list[int], int]:
        go_on = asyncio.Event()

        async def waits(scope: Scope, receive: Receive, send: Send) -> None:
            await go_on.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})

        async def receive() -> Message:
            return {"type": "http.disconnect"}

        door = Crowding(waits, proxies=NONE, most=3)
        answers: list[list[Any]] = []

        def ask(peer: str) -> asyncio.Task[None]:
            answers.append([])

            async def send(message: Message, to: list[Any] = answers[-1]) -> None:
                to.append(message)

            return asyncio.create_task(door(scope_of(peer), receive, send))

        first = [ask("192.0.2.7") for _ in range(3)]
        await asyncio.sleep(0)
        await ask("192.0.2.7")
        refused = answers[3]
        assert json.loads(refused[1]["body"])["code"] == "too_many_at_once"
        assert (b"retry-after", b"2") in refused[0]["headers"]
        other = ask("192.0.2.8")
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*first, other)
        await ask("192.0.2.7")
        return [answer[0]["status"] for answer in answers], len(door._in_flight)

    assert asyncio.run(run()) == ([200, 200, 200, 429, 200, 200], 0)


APP = """
from config.web.request_limits import BoundedBodies, Bounds, BodyPace
from config.web.crowding import Crowding, Proxies


async def echo(scope, receive, send):
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


async def nobody(scope):
    raise AssertionError("nothing here is large")


bodies = BoundedBodies(
    echo,
    bounds=Bounds(anybody=2**20, account=2**20),
    identify=nobody,
    pace=BodyPace(idle_s=2),
)
application = Crowding(bodies, proxies=Proxies.at([], count=0), most=100)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The web server as the house starts it, before an application without Django."""
    folder = tmp_path_factory.mktemp("web")
    (folder / "small_app.py").write_text(APP)
    number = free_port()
    command = [program("granian"), *WEB_OPTIONS, "--port", str(number), "small_app:application"]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            command, cwd=folder, env=_environment(folder), stdout=log, stderr=log
        ) as server,
    ):
        while True:
            assert server.poll() is None, (folder / "log").read_text()
            try:
                socket.create_connection(("127.0.0.1", number), timeout=5).close()
                break
            except OSError:
                continue
        yield number
        server.terminate()


def _environment(folder: Path) -> dict[str, str]:
    return {"PATH": str(Path(sys.executable).parent), "PYTHONPATH": f"{folder}:{ROOT}"}


def dial(port: int, said: bytes = b"", *, source: str = "127.0.0.1") -> socket.socket:
    line = socket.create_connection(("127.0.0.1", port), timeout=120, source_address=(source, 0))
    line.sendall(said)
    return line


def read_all(line: socket.socket) -> bytes:
    with line:
        parts = []
        try:
            while part := line.recv(65536):
                parts.append(part)
        except ConnectionResetError:
            pass
        return b"".join(parts)


@pytest.mark.parametrize(
    "said", [b"", b"GET", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "], ids=["idle", "verb", "headers"]
)
def test_a_connection_that_says_nothing_whole_is_closed(port: int, said: bytes) -> None:
    assert b"200 OK" not in read_all(dial(port, said))


def test_an_idle_connection_is_closed_after_its_answer_too(port: int) -> None:
    assert read_all(dial(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")).count(b"200 OK") == 1


def test_a_thousand_half_sent_requests_of_one_address_leave_the_server_to_others(
    port: int,
) -> None:
    half = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc"
    lines = [dial(port, half) for _ in range(1030)]
    others = dial(
        port, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", source="127.0.0.9"
    )
    assert read_all(others).startswith(b"HTTP/1.1 200")
    told = [read_all(line)[9:12] for line in lines]
    assert set(told) == {b"429", b"408"}
    assert told.count(b"408") <= 100
