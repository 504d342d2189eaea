"""Calling an address that a stranger named, without becoming their way into our network: fetching
a picture, or telling something. Pure of Django.

Only http and https on their own ports; every address of the host must be public, and the connection
goes to the very address that was checked. Redirects are followed a few times when fetching, each
checked anew, and never when telling. The body is bounded. One time limit holds for all of it, the
name's resolution included: what takes longer is ended, however slowly it drips.
"""

import contextlib
import http.client
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from config.core.errors import ProofsheetError

MAX_REDIRECTS = 3
TOTAL_SECONDS = 10.0
RESOLVERS_MAX = 16
PORTS = {"http": 80, "https": 443}
_REDIRECTS = (301, 302, 303, 307, 308)
MayConnect = Callable[[str, int], bool]


class UrlRefused(ProofsheetError):
    """Not http or https, or it leads into a private network."""

    default_code = "url_refused"
    default_message = "That address is not fetched: only public http and https addresses are."
    default_advice = "Download the picture yourself and send the file."
    default_status = 422


class UrlUnreachable(ProofsheetError):
    """No such host, no connection, or no answer in time."""

    default_code = "url_unreachable"
    default_message = "Nothing could be fetched from that address."
    default_advice = "Check the address, or download the picture yourself and send the file."
    default_status = 422


class UrlBodyTooLarge(ProofsheetError):
    """Told as soon as the bound is passed; the rest is not read."""

    default_code = "url_body_too_large"
    default_message = "What lies at that address is larger than the largest that is looked at."
    default_advice = "Send a smaller copy; the watermark survives that."
    default_status = 413


@dataclass(frozen=True, slots=True)
class Limits:
    """What a fetch may cost; `may_connect` decides about an address and a port."""

    max_bytes: int
    seconds: float = TOTAL_SECONDS
    may_connect: MayConnect | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """The answer to a POST; `retry_after` is that header, empty where there is none."""

    status: int
    retry_after: str


def is_public(address: str, port: int) -> bool:
    """Whether an IP address is anybody's on the internet, and the port one of the web's own."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    embedded = getattr(parsed, "ipv4_mapped", None) or getattr(parsed, "sixtofour", None)
    if getattr(parsed, "teredo", None):
        return False
    every = [embedded] if getattr(parsed, "ipv4_mapped", None) else [parsed, embedded]
    return port in PORTS.values() and all(_is_anybodys(each) for each in every if each)


def _is_anybodys(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    if isinstance(address, ipaddress.IPv6Address) and address not in _UNICAST:
        return False
    is_special = any(address in network for network in _SPECIAL)
    is_common = address.is_global and not address.is_multicast and not address.is_reserved
    return is_common and not is_special


# All that IANA gives out to hosts of the internet; site-local (fec0::/10) and the translators'
# 64:ff9b::/96, which lead to any IPv4 address, lie outside.
_UNICAST = ipaddress.ip_network("2000::/3")
# Of the special-purpose registries (RFC 6890), what Python 3.11 takes for anybody's.
_SPECIAL = [
    ipaddress.ip_network(each)
    for each in ("192.0.0.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24",
                 "192.175.48.0/24", "2001::/23", "2620:4f:8000::/48", "3fff::/20")
]  # fmt: skip


def fetch(url: str, *, limits: Limits) -> bytes:
    """The body at a URL.

    Raises:
        UrlRefused: another scheme, a login in the URL, a private address, too many redirects.
        UrlUnreachable: no answer in time, or no answer with a body.
        UrlBodyTooLarge: the body is longer than the limit.
    """
    ends_at_s = time.monotonic() + limits.seconds
    for _ in range(MAX_REDIRECTS + 1):
        parts = _checked(url)
        try:
            with _connection(parts, limits.may_connect or is_public, ends_at_s) as connection:
                status, location, body = _exchange(connection, parts, limits.max_bytes)
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise UrlUnreachable from error
        if status not in _REDIRECTS:
            if status != http.client.OK:
                raise UrlUnreachable(message=f"The server at that address answered {status}.")
            return body
        url = urljoin(url, location)
    raise UrlRefused(message="That address redirects too often.")


def post(url: str, body: bytes, *, headers: Mapping[str, str], limits: Limits) -> Told:
    """What the server at a URL answers to a POST, whatever its status; a redirect is an answer like
    any other. Of the answer's body nothing is read, so `max_bytes` is never reached.

    Raises:
        UrlRefused: another scheme, a login in the URL, a private address.
        UrlUnreachable: no connection, or no answer in time.
    """
    parts = _checked(url)
    ends_at_s = time.monotonic() + limits.seconds
    try:
        with _connection(parts, limits.may_connect or is_public, ends_at_s) as connection:
            connection.request("POST", _path(parts), body, {**_AGENT, **headers})
            answer = connection.getresponse()
            return Told(answer.status, answer.getheader("Retry-After", ""))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise UrlUnreachable from error


def _checked(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
        is_plain = parts.username is None and parts.password is None and parts.port != 0
    except ValueError as error:
        raise UrlRefused(message="That is not a web address.") from error
    if parts.scheme not in PORTS or not parts.hostname or not is_plain or not url.isascii():
        raise UrlRefused
    return parts


def _left_s(ends_at_s: float) -> float:
    """Raises TimeoutError when the time is over."""
    if (left_s := ends_at_s - time.monotonic()) <= 0:
        raise TimeoutError("the time for this fetch is over")
    return left_s


def _addresses_of(host: str, port: int, ends_at_s: float) -> list[str]:
    """Every address of a host's name, in time: the resolver itself knows no limit, so that it is
    asked in a thread of its own, of which there are few."""
    found: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()

    def resolve() -> None:
        try:
            entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found.put([str(entry[4][0]) for entry in entries])
        except Exception as error:  # raised again where it is waited for
            found.put(error)
        finally:
            _resolvers.release()

    if not _resolvers.acquire(timeout=_left_s(ends_at_s)):
        raise TimeoutError("too many names are being resolved")
    threading.Thread(target=resolve, name="resolver", daemon=True).start()
    try:
        answer = found.get(timeout=_left_s(ends_at_s))
    except queue.Empty:
        raise TimeoutError("the name was not resolved in time") from None
    if isinstance(answer, Exception):
        raise answer
    return answer


_resolvers = threading.BoundedSemaphore(RESOLVERS_MAX)


@contextmanager
def _connection(
    parts: SplitResult, may_connect: MayConnect, ends_at_s: float
) -> Iterator[http.client.HTTPConnection]:
    """A connection to an address that was checked, cut when the time is over."""
    host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
    addresses = _addresses_of(host, port, ends_at_s)
    if not addresses or not all(may_connect(address, port) for address in addresses):
        raise UrlRefused
    raw = socket.create_connection((addresses[0], port), timeout=_left_s(ends_at_s))
    guard = raw.dup()  # TLS takes the descriptor away from `raw`; this one stays ours to cut
    is_over = threading.Event()
    timer = threading.Timer(max(0.0, ends_at_s - time.monotonic()), _cut, args=(guard, is_over))
    timer.daemon = True
    timer.start()
    connection = http.client.HTTPConnection(host, port)
    try:
        is_secure = parts.scheme == "https"
        context = ssl.create_default_context()
        connection.sock = context.wrap_socket(raw, server_hostname=host) if is_secure else raw
        yield connection
        if is_over.is_set():
            raise TimeoutError("the body came too slowly")
    finally:
        timer.cancel()
        connection.close()
        raw.close()
        guard.close()


def _cut(guard: socket.socket, is_over: threading.Event) -> None:
    is_over.set()
    with contextlib.suppress(OSError):  # the other end, or this fetch, was done before
        guard.shutdown(socket.SHUT_RDWR)


_AGENT = {"User-Agent": "Proofsheet"}


def _path(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _exchange(
    connection: http.client.HTTPConnection, parts: SplitResult, max_bytes: int
) -> tuple[int, str, bytes]:
    """Status, location and body of one GET, which sends nothing about who asks."""
    connection.request("GET", _path(parts), headers={"Accept": "image/*", **_AGENT})
    answer = connection.getresponse()
    location = answer.getheader("Location", "")
    if answer.status != http.client.OK:
        return answer.status, location, b""
    body = answer.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise UrlBodyTooLarge
    if answer.length:  # the server, or our timer, ended it before its announced length
        raise http.client.IncompleteRead(body)
    return answer.status, location, body
