"""Receivers of webhooks on the loopback: real HTTP servers that behave as they are told to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Received:
    """What came, and when."""

    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


@dataclass
class Receiver:
    """Answers each POST by `answer`, which is called with the handler once its body was read."""

    answer: Callable[[BaseHTTPRequestHandler], None]
    received: list[Received] = field(default_factory=list)
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        return [each.headers["webhook-id"] for each in self.received]

    @contextmanager
    def listening(self) -> Iterator[Receiver]:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.received.append(Received(self.path, headers, body, time.time()))
                receiver.answer(self)

            def log_message(self, *args: object) -> None:
                pass

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        self.port = server.server_port
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()


def says(status: int, **headers: str) -> Callable[[BaseHTTPRequestHandler], None]:
    """An answer with that status, at once."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return answer


def hangs(seconds: float) -> Callable[[BaseHTTPRequestHandler], None]:
    """No answer for so long."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        time.sleep(seconds)
        says(200)(handler)

    return answer


def drips(handler: BaseHTTPRequestHandler) -> None:
    """An answer's head, one byte at a time and never to its end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while True:
        handler.wfile.write(b"x")
        handler.wfile.flush()
        time.sleep(0.02)


def floods(handler: BaseHTTPRequestHandler) -> None:
    """Ten megabytes."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(10 * 1024**2))
    handler.end_headers()
    for _ in range(160):
        handler.wfile.write(bytes(64 * 1024))
