"""The URL fetcher against a real server on the loopback, and against what it must not touch."""

import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from config.core.net import safe_fetch
from config.core.net.safe_fetch import Limits, UrlBodyTooLarge, UrlRefused, UrlUnreachable


class Handler(BaseHTTPRequestHandler):
    """Each path misbehaves in its own way."""

    def do_GET(self) -> None:
        match self.path.partition("?")[0]:
            case "/picture":
                self._answer(200, b"picture")
            case "/large":
                self._answer(200, bytes(5000))
            case "/moved":
                self._answer(302, b"", "/picture")
            case "/loop":
                self._answer(302, b"", "/loop")
            case "/private":
                self._answer(302, b"", "http://10.0.0.1/picture")
            case "/file":
                self._answer(302, b"", "file:///etc/passwd")
            case "/slow":
                self.send_response(200)
                self.end_headers()
                for _ in range(40):
                    self.wfile.write(b"x")
                    self.wfile.flush()
                    time.sleep(0.1)
            case "/short":
                self.send_response(200)
                self.send_header("Content-Length", "100")
                self.end_headers()
                self.wfile.write(b"x")
            case _:
                self._answer(404, b"")

    def _answer(self, status: int, body: bytes, location: str = "") -> None:
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            return


@pytest.fixture(scope="module")
def server() -> Iterator[ThreadingHTTPServer]:
    started = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=started.serve_forever, daemon=True)
    thread.start()
    yield started
    started.shutdown()
    started.server_close()


def get(server: ThreadingHTTPServer, path: str, seconds: float = 5.0) -> bytes:
    """Fetch from the test's server, which alone is allowed besides public addresses."""
    port = server.server_port

    def may_connect(address: str, wanted: int) -> bool:
        return (address, wanted) == ("127.0.0.1", port) or safe_fetch.is_public(address, wanted)

    limits = Limits(max_bytes=1000, seconds=seconds, may_connect=may_connect)
    return safe_fetch.fetch(f"http://127.0.0.1:{port}{path}", limits=limits)


@pytest.mark.parametrize("path", ["/picture", "/moved", "/picture?a=b"])
def test_body_is_fetched(server: ThreadingHTTPServer, path: str) -> None:
    assert get(server, path) == b"picture"


@pytest.mark.parametrize("path", ["/loop", "/private", "/file"])
def test_redirect_to_what_is_not_allowed_is_refused(server: ThreadingHTTPServer, path: str) -> None:
    with pytest.raises(UrlRefused):
        get(server, path)


def test_large_body_is_refused(server: ThreadingHTTPServer) -> None:
    with pytest.raises(UrlBodyTooLarge):
        get(server, "/large")


def test_slow_server_is_cut_off(server: ThreadingHTTPServer) -> None:
    start = time.monotonic()
    with pytest.raises(UrlUnreachable):
        get(server, "/slow", seconds=0.5)
    assert time.monotonic() - start < 3


@pytest.mark.parametrize("path", ["/missing", "/short"])
def test_answer_without_a_whole_body_is_unreachable(server: ThreadingHTTPServer, path: str) -> None:
    with pytest.raises(UrlUnreachable):
        get(server, path)


def test_closed_port_is_unreachable() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    limits = Limits(1000, 1.0, lambda address, wanted: True)
    with pytest.raises(UrlUnreachable):
        safe_fetch.fetch(f"http://127.0.0.1:{port}/", limits=limits)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://10.1.2.3/",
        "http://172.16.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://100.64.0.1/",
        "http://0.0.0.0/",
        "http://224.0.0.1/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::a00:1]/",
        "http://[fec0::1]/",
        "http://[3fff::1]/",
        "http://[5f00::1]/",
        "http://[2001:db8::1]/",
        "http://[2001:0:4136:e378::1]/",
        "http://[::7f00:1]/",
        "http://192.88.99.1/",
        "http://192.0.0.8/",
        "http://198.18.0.1/",
        "http://240.0.0.1/",
        "http://[2002:7f00:1::]/",
        "http://2130706433/",
        "http://0x7f.1/",
        "http://8.8.8.8:22/",
        "http://user:secret@8.8.8.8/",
        "ftp://8.8.8.8/a.png",
        "file:///etc/passwd",
        "gopher://8.8.8.8/",
        "//8.8.8.8/",
        "http:///a",
        "http://[::1/",
        "not a url",
        "",
    ],
)
def test_address_that_is_not_public_is_refused(url: str) -> None:
    with pytest.raises(UrlRefused):
        safe_fetch.fetch(url, limits=Limits(1000))


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "2a00:1450:4001::1"]
)
def test_an_address_of_anybodys_is_public(address: str) -> None:
    assert safe_fetch.is_public(address, 443)


def test_a_resolver_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = threading.Event()

    def hangs(*_: object, **__: object) -> list[object]:
        answers.wait()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    try:
        with pytest.raises(UrlUnreachable):
            safe_fetch.fetch("http://images.example/", limits=Limits(1000, seconds=0.05))
    finally:
        answers.set()


def test_redirects_share_one_time_limit(
    server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each address of the chain answers in time, all of them together do not."""
    passed_s = iter(range(0, 1000, 2))
    monkeypatch.setattr(
        safe_fetch, "time", SimpleNamespace(monotonic=lambda: float(next(passed_s)))
    )
    with pytest.raises(UrlUnreachable):
        get(server, "/loop", seconds=20)


class Dripping(BaseHTTPRequestHandler):
    """A byte now and then, of the headers or of the body: each in time, all of them never."""

    drips, pause_s = 200, 0.05
    unsent = 0
    left = threading.Event()

    def do_GET(self) -> None:
        type(self).left.clear()
        type(self).unsent = self.drips
        try:
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            if self.path == "/body":
                self.wfile.write(b"\r\n")
            for _ in range(self.drips):
                self.wfile.write(b"x")
                type(self).unsent -= 1
                time.sleep(self.pause_s)
        except OSError:
            return
        finally:
            type(self).left.set()

    def log_message(self, *args: object) -> None:
        pass

    def finish(self) -> None:
        try:
            super().finish()
        except OSError:
            return


def certificate(folder: Path) -> Path:
    """Of 127.0.0.1, signed by itself; with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(here, critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "own.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture
def secure_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadingHTTPServer]:
    own = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(own))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    started = ThreadingHTTPServer(("127.0.0.1", 0), Dripping)
    started.socket = context.wrap_socket(started.socket, server_side=True)
    threading.Thread(target=started.serve_forever, daemon=True).start()
    yield started
    started.shutdown()
    started.server_close()


@pytest.mark.parametrize("path", ["/headers", "/body"])
def test_a_drip_over_tls_is_cut_off(secure_server: ThreadingHTTPServer, path: str) -> None:
    port = secure_server.server_port
    limits = Limits(max_bytes=1000, seconds=1.0, may_connect=lambda address, wanted: True)
    Dripping.unsent = Dripping.drips
    Dripping.left.set()
    with pytest.raises(UrlUnreachable):
        safe_fetch.fetch(f"https://127.0.0.1:{port}{path}", limits=limits)
    assert Dripping.left.wait(timeout=60)
    assert Dripping.unsent > 0, "the whole answer was waited for"
