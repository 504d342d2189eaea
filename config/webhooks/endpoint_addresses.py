"""Which addresses deliveries are sent to: public ones over HTTPS, and where the settings say so
those of this very host.
"""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings

from config.core.errors import ProofsheetError
from config.core.net import safe_fetch

LENGTH_MAX = 2000


class AddressRefused(ProofsheetError):
    """Not HTTPS, with a login in it, or plainly not a public host."""

    default_code = "webhook_address_refused"
    default_message = "Webhooks are sent to public https addresses alone."
    default_advice = "Give an address that begins with https:// and leads to a public host."
    default_status = 422


def check(url: str) -> None:
    """Raises AddressRefused. Where a name leads to is looked at when something is sent there."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise AddressRefused(message="That is not a web address.") from error
    is_plain = parts.username is None and parts.password is None and not parts.fragment
    if not host or not is_plain or not url.isascii() or len(url) > LENGTH_MAX:
        raise AddressRefused
    if not url.isprintable() or " " in url or parts.scheme not in ("https", "http"):
        raise AddressRefused
    if _may_be_here(host):
        return
    if parts.scheme != "https":
        raise AddressRefused
    _check_literal(host, port or safe_fetch.PORTS["https"])


def _check_literal(host: str, port: int) -> None:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if port not in safe_fetch.PORTS.values():
            raise AddressRefused(
                message="Webhooks are sent to port 443 alone.",
                advice="Give an address without a port.",
            ) from None
        return
    if not safe_fetch.is_public(host, port):
        raise AddressRefused


def _may_be_here(host: str) -> bool:
    is_allowed: bool = settings.PROOFSHEET_WEBHOOKS_TO_LOOPBACK
    return is_allowed and host in ("localhost", "127.0.0.1", "::1")


def may_connect(url: str) -> safe_fetch.MayConnect:
    """What may be connected to for that address: this host where it says so itself, and no name
    that merely leads here."""
    return _is_here if _may_be_here(urlsplit(url).hostname or "") else safe_fetch.is_public


def _is_here(address: str, port: int) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
