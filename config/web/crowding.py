"""Bounds how many requests of one network address are in flight in a web process. Pure ASGI.

Whoever opens a thousand requests and ends none would otherwise fill the server for everybody. The
address is the peer's or, behind a proxy of the house, the one that the proxy names; what others
claim in `X-Forwarded-…` is dropped here, so that nobody further in believes it.
"""

from __future__ import annotations

import ipaddress
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from config.core.net.client_networks import network_of
from config.web.early_answers import EarlyAnswer, Receive, Scope, Send, refuse
from config.web.request_limits import Application

CLAIMS = (b"forwarded", b"x-real-ip")
CLAIM_PREFIX = b"x-forwarded-"
_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def too_many(most: int) -> EarlyAnswer:
    """For an address that has `most` requests under way."""
    return EarlyAnswer(
        status=429,
        code="too_many_at_once",
        title=f"{most} requests from your address are still being answered.",
        detail="Wait until some have ended, then try again.",
        headers=((b"retry-after", b"2"),),
    )


@dataclass(frozen=True, slots=True)
class Proxies:
    """How many stand before the web processes, and in which networks they are."""

    count: int
    networks: tuple[_Network, ...]

    @classmethod
    def at(cls, places: Sequence[str], *, count: int) -> Proxies:
        """Raises ValueError for what is neither an address nor a network."""
        return cls(count, tuple(ipaddress.ip_network(place, strict=False) for place in places))

    def are_at(self, peer: str) -> bool:
        """Where there is a proxy at all; a peer without an address came over a socket file."""
        if not self.count:
            return False
        try:
            address = ipaddress.ip_address(peer.partition("%")[0])
        except ValueError:
            return not peer
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self.networks)


def without_claims(scope: Scope, proxies: Proxies) -> Scope:
    """The scope as it is to be believed."""
    if proxies.are_at(peer_of(scope)):
        return scope
    kept = [
        (name, value)
        for name, value in scope["headers"]
        if name.lower() not in CLAIMS and not name.lower().startswith(CLAIM_PREFIX)
    ]
    return scope if len(kept) == len(scope["headers"]) else scope | {"headers": kept}


def sender_of(scope: Scope, proxies: Proxies) -> str:
    """The network address that a request of a believable `scope` came from, as limits count it."""
    named = [
        part.strip().decode("latin-1")
        for name, value in scope["headers"]
        if name.lower() == b"x-forwarded-for"
        for part in value.split(b",")
    ]
    is_named = proxies.count and len(named) >= proxies.count
    return network_of(named[-proxies.count] if is_named else peer_of(scope))


def peer_of(scope: Scope) -> str:
    """The address that the connection came from, empty over a socket file."""
    client = scope.get("client")
    return str(client[0]) if client else ""


class Crowding:
    """Answers 429 to a request whose sender has `most` others in flight in this process."""

    def __init__(self, app: Application, *, proxies: Proxies, most: int) -> None:
        self._app = app
        self._proxies = proxies
        self._most = most
        self._in_flight: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope = without_claims(scope, self._proxies)
        sender = sender_of(scope, self._proxies)
        if self._in_flight[sender] >= self._most:
            await refuse(scope, send, too_many(self._most))
            return
        self._in_flight[sender] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._in_flight[sender] -= 1
            if not self._in_flight[sender]:
                del self._in_flight[sender]
