"""Ends connections whose client takes nothing of what is sent to it.

Django is freed of such a client by `request_limits`, but the web server keeps the socket until the
client leaves. The kernel can end it: TCP_USER_TIMEOUT (RFC 5482, tcp(7)) bounds how long bytes may
lie unsent or unacknowledged. Sockets that are accepted inherit it from the listening one, which
granian opens itself after this application is loaded; so it is set at the first request, also on
what was accepted before.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

from config.web.early_answers import Receive, Scope, Send
from config.web.request_limits import Application

UNTAKEN_S = 60.0


class DeafReaders:
    """Sets the bound for the sockets of this process when it is first asked for something."""

    def __init__(self, app: Application, *, after_s: float = UNTAKEN_S) -> None:
        self._app = app
        self._after_s = after_s
        self._is_set = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._is_set:
            self._is_set = True
            end_after(self._after_s)
        await self._app(scope, receive, send)


def end_after(seconds: float) -> int:
    """Bounds what the clients of this process leave untaken; says of how many sockets."""
    sockets = list(_own_tcp_sockets())
    ports = {each.getsockname()[1] for each in sockets if _listens(each)}
    bounded = [each for each in sockets if each.getsockname()[1] in ports]
    for each in bounded:
        each.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, round(seconds * 1000))
    for each in sockets:
        each.close()
    return len(bounded)


def _own_tcp_sockets() -> Iterator[socket.socket]:
    """Copies of the descriptors, to be closed; the sockets stay open."""
    for name in os.listdir("/proc/self/fd"):
        try:
            descriptor = os.dup(int(name))
        except OSError:  # the listing's own
            continue
        try:
            found = socket.socket(fileno=descriptor)
        except OSError:  # a file
            os.close(descriptor)
            continue
        if found.type == socket.SOCK_STREAM and found.family in (socket.AF_INET, socket.AF_INET6):
            yield found
        else:
            found.close()


def _listens(one: socket.socket) -> bool:
    return bool(one.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
