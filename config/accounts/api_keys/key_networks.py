"""From which networks a key is good."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from config.core.errors import ProofsheetError

MOST = 20


class NetworkUnreadable(ProofsheetError):
    """Not a network, or too many."""

    default_code = "key_network_unreadable"
    default_message = "That is no network address."
    default_advice = f"Write up to {MOST}, such as 192.0.2.0/24 or 2001:db8::/32."
    default_status = 422


class KeyFromElsewhere(ProofsheetError):
    """The key is good, but not from this address."""

    default_code = "key_from_elsewhere"
    default_message = "This key is not good from your network address."
    default_advice = "Use it from the networks that it was made for, or make another."
    default_status = 403


def parse(said: Sequence[str]) -> list[str]:
    """The networks in their usual spelling. Raises NetworkUnreadable."""
    if len(said) > MOST:
        raise NetworkUnreadable(message=f"A key names {MOST} networks at most.")
    try:
        return [str(ipaddress.ip_network(text.strip())) for text in said]
    except ValueError as error:
        raise NetworkUnreadable(message=f"No network address: {str(error)[:100]}.") from error


def check(networks: Sequence[str], address: str) -> None:
    """Raises KeyFromElsewhere where some are named and none holds the address."""
    if not networks:
        return
    try:
        came_from = ipaddress.ip_address(address.partition("%")[0])
    except ValueError as error:
        raise KeyFromElsewhere from error
    mapped = getattr(came_from, "ipv4_mapped", None)
    if not any((mapped or came_from) in ipaddress.ip_network(each) for each in networks):
        raise KeyFromElsewhere
