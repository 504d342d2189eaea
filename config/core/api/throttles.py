"""Limits of the API, each of which counts whoever has no account by the network that is theirs."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.throttling import (
    AnonRateThrottle,
    BaseThrottle,
    ScopedRateThrottle,
    SimpleRateThrottle,
    UserRateThrottle,
)

from config.core.net.client_networks import network_of


class _ByNetwork(BaseThrottle):
    def get_ident(self, request: Request) -> str:
        return network_of(str(super().get_ident(request) or ""))


class RateThrottle(_ByNetwork, SimpleRateThrottle):
    """For limits of a page or an address of their own."""


class AnonThrottle(_ByNetwork, AnonRateThrottle):
    """Of callers without an account."""


class UserThrottle(_ByNetwork, UserRateThrottle):
    """Of accounts."""


class ScopedThrottle(_ByNetwork, ScopedRateThrottle):
    """Of the calls that a view names in `throttle_scope`."""


class ModerationThrottle(UserThrottle):
    """Of accounts that have texts judged: chats ask for each message, and pictures are still made
    meanwhile."""

    scope = "moderate"
