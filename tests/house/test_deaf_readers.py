"""Who takes nothing of an answer loses the connection, also one from before the first request."""

from __future__ import annotations

import asyncio
import socket

import pytest

from config.web.deaf_readers import DeafReaders, end_after
from config.web.early_answers import Receive, Scope, Send


def connected(listener: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.connect(listener.getsockname())
    return client, listener.accept()[0]


def bound_of(one: socket.socket) -> int:
    return one.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT)


def test_a_connection_whose_client_takes_nothing_is_ended() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        end_after(0.2)
        client, served = connected(listener)
        with client, served, pytest.raises(TimeoutError):
            served.sendall(bytes(50_000_000))


def test_connections_from_before_the_first_request_are_bounded_too() -> None:
    async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
        return

    with socket.create_server(("127.0.0.1", 0)) as listener, socket.socket() as stranger:
        client, served = connected(listener)
        with client, served:
            asyncio.run(DeafReaders(nothing, after_s=7)({"type": "http"}, None, None))  # type: ignore[arg-type]  # nothing is received or sent
            assert bound_of(served) == bound_of(listener) == 7000
            # What goes out from here, such as to the database, is left alone.
            assert bound_of(client) == bound_of(stranger) == 0
