"""The port of a process for those who watch it: `/livez`, `/readyz`, `/metrics` over plain HTTP.

Not for the public: it binds to loopback unless METRICS_HOST says otherwise. Each process of a host
takes the first free port of its kind's, so that several web processes have one each.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import AF_INET, AF_INET6
from socketserver import TCPServer
from threading import Thread

from django.conf import settings
from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder

from config.core import database_connections

logger = logging.getLogger(__name__)
PORTS = {
    "web": range(0, 20),
    "render": range(20, 50),
    "cpu": range(50, 60),
    "outbox": range(60, 70),
    "beat": range(70, 75),
}
"""Of each kind of process, counted from METRICS_PORT."""
PATIENCE_S = 2.0
Lacking = Callable[[], list[str]]


def open_for(kind: str, lacking: Lacking) -> int | None:
    """Answer from threads of its own until the process ends; the port, None where there is none.

    A process that cannot be watched works all the same.
    """
    if not settings.PROOFSHEET_METRICS_PORT:
        return None
    for offset in PORTS[kind]:
        port = settings.PROOFSHEET_METRICS_PORT + offset
        try:
            server = _Server((settings.PROOFSHEET_METRICS_HOST, port), lacking)
        except OSError as error:
            refusal = error
            continue
        Thread(target=server.serve_forever, name="own port", daemon=True).start()
        logger.info("this %s process is watched on port %d", kind, port)
        return port
    logger.warning("no port to watch this %s process on: %s", kind, refusal)
    return None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], lacking: Lacking) -> None:
        self.address_family = AF_INET6 if ":" in address[0] else AF_INET
        super().__init__(address, _PortHandler)
        self._lacking = database_connections.given_back(lacking)
        self._asked: Future[list[str]] | None = None

    def server_bind(self) -> None:
        """Without HTTPServer's question to the DNS for its own name, which nobody needs."""
        TCPServer.server_bind(self)

    def lacks(self) -> list[str]:
        """A server that stands still holds nobody up: it is what is lacking then."""
        asked = self._asked
        if asked is None or asked.done():
            asked = self._asked = Future()
            Thread(target=self._ask, args=(asked,), name="readiness", daemon=True).start()
        try:
            return asked.result(PATIENCE_S)
        except TimeoutError:
            return ["database"]

    def _ask(self, asked: Future[list[str]]) -> None:
        try:
            asked.set_result(self._lacking())
        except Exception:  # whatever it is, the process cannot be said to be ready
            logger.exception("whether this process is ready cannot be told")
            asked.set_result(["database"])


class _PortHandler(BaseHTTPRequestHandler):
    timeout = 5  # of a connection that says nothing
    server: _Server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/livez":
            self._tell(200, {"alive": True})
        elif path == "/readyz":
            lacks = self.server.lacks()
            said = {"ready": not lacks} | ({"lacks": lacks} if lacks else {})
            self._tell(503 if lacks else 200, said)
        elif path == "/metrics":
            encode, kind = choose_encoder(self.headers.get("Accept", ""))
            self._send(200, kind, encode(REGISTRY))
        else:
            self._tell(404, {"paths": ["/livez", "/readyz", "/metrics"]})

    def _tell(self, status: int, said: Mapping[str, object]) -> None:
        self._send(status, "application/json", json.dumps(said).encode())

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: a probe every few seconds would bury everything else."""
