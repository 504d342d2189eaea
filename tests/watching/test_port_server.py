"""The server of a process's own port: where it listens, and what it says when nobody can tell."""

from __future__ import annotations

import socket
import subprocess
import sys
from http.client import HTTPConnection
from threading import Thread

import pytest
from pytest_django.fixtures import Settings

from config.launch.child_processes import free_port
from config.watching import own_port
from config.watching.own_port import _Server

STANDS_STILL = """
import threading, django
from django.conf import settings
settings.configure()
from config.watching import own_port
own_port.PATIENCE_S = 0.01
server = own_port._Server(("127.0.0.1", 0), threading.Event().wait)
print(server.lacks())
"""


def ready_at(server: _Server, host: str) -> tuple[int, bytes]:
    Thread(target=server.handle_request, daemon=True).start()
    connection = HTTPConnection(host, server.server_address[1], timeout=30)
    connection.request("GET", "/readyz")
    answer = connection.getresponse()
    said = answer.status, answer.read()
    connection.close()
    server.server_close()
    return said


def test_what_cannot_be_told_is_not_ready() -> None:
    def broken() -> list[str]:
        raise ZeroDivisionError

    server = _Server(("127.0.0.1", 0), broken)
    assert ready_at(server, "127.0.0.1") == (503, b'{"ready": false, "lacks": ["database"]}')


def test_it_listens_at_an_address_of_ipv6(settings: Settings) -> None:
    settings.PROOFSHEET_METRICS_HOST, settings.PROOFSHEET_METRICS_PORT = "::1", free_port() % 60000
    assert own_port.open_for("beat", list)


def test_nobody_is_asked_for_the_hosts_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(name: str = "") -> str:
        raise AssertionError("the DNS was asked")

    monkeypatch.setattr(socket, "getfqdn", asked)
    _Server(("127.0.0.1", 0), list).server_close()


def test_process_ends_while_readiness_waits() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STANDS_STILL],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert done.stdout == "['database']\n"
