"""Whose a network address is, as limits count it. Pure."""

from __future__ import annotations

import ipaddress


def network_of(address: str) -> str:
    """An IPv4 address for itself, and an IPv6 one by its network of 64 bits, all of which one
    customer has; what is neither stays as it is."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
