"""Which addresses deliveries are sent to: public ones over HTTPS, and where the settings say so
those of this very host.
"""

from __future__ import annotations

import ipaddress
import re
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
    if not is_plain:
        raise AddressRefused(
            message="The address has a name or a password before its host, or a part after #.",
            advice="Leave them out: deliveries are known by their signature.",
        )
    if not url.isascii() or not url.isprintable() or " " in url:
        raise AddressRefused(
            message="The address has a space or a character beyond ASCII.",
            advice="Write the host as xn--…, and everything after it with %.",
        )
    if not host or len(url) > LENGTH_MAX or parts.scheme not in ("https", "http"):
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
        if _ends_in_a_number(host):
            raise AddressRefused from None
        if port not in safe_fetch.PORTS.values():
            raise AddressRefused(
                message="Webhooks are sent to port 443 alone.",
                advice="Give an address without a port.",
            ) from None
        return
    if not safe_fetch.is_public(host, port):
        raise AddressRefused


def _ends_in_a_number(host: str) -> bool:
    """An IPv4 address in another spelling, such as 2130706433, 0x7f.1 or 127.1: as no name may end
    so, browsers take it for one (URL Standard, "ends in a number"), and so do resolvers."""
    return re.fullmatch(r"(?:.*\.)?(?:\d+|0x[0-9a-f]*)\.?", host) is not None


def _may_be_here(host: str) -> bool:
    is_allowed: bool = settings.PROOFSHEET_WEBHOOKS_TO_LOOPBACK
    return is_allowed and host in ("localhost", "127.0.0.1", "::1")


def may_connect(url: str) -> safe_fetch.MayConnect:
    """What may be connected to for that address: this host where it says so itself, and no name
    that merely leads here."""
    return _is_here if _may_be_here(urlsplit(url).hostname or "") else safe_fetch.is_public


def _is_here(address: str, port: int) -> bool:
    return ipaddress.ip_address(address.partition("%")[0]).is_loopback
