"""A line to the house that loses the first answer: the house did its work, and nobody heard it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx

HOP = {"connection", "content-length", "host", "transfer-encoding", "content-encoding"}


@dataclass
class Line:
    """Where it is, and what each call's `x-stainless-retry-count` and body and answer were."""

    url: str = ""
    counts: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)


@contextmanager
def to(house: str) -> Iterator[Line]:
    """Until it is not needed any more."""
    line = Line()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {k: v for k, v in self.headers.items() if k.lower() not in HOP}
            said = httpx.post(f"{house}{self.path}", content=body, headers=headers, timeout=300)
            line.counts.append(self.headers.get("x-stainless-retry-count", ""))
            line.bodies.append(body)
            line.answers.append(said.content)
            if len(line.answers) == 1:
                self.close_connection = True
                return
            self.send_response(said.status_code)
            for name, value in said.headers.items():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(said.content)))
            self.end_headers()
            self.wfile.write(said.content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    line.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield line
    finally:
        server.shutdown()
        server.server_close()
