"""Limits on reports: how many in an hour, and none after repeated manifestly unfounded ones
(DSA Art. 23(2)).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from config.core.api.throttles import RateThrottle
from config.core.errors import ProofsheetError
from moderation.decisions.allowed_actions import UNFOUNDED
from moderation.models import Report

MOST_UNFOUNDED = 3  # within LOOKS_BACK
LOOKS_BACK = timedelta(days=184)
SUSPENDED_FOR = timedelta(days=30)  # from the last of them


class TooManyReports(ProofsheetError):
    """More reports within an hour than one sender may make."""

    default_code = "too_many_notices"
    default_message = "Too many pictures were reported from here within an hour."
    default_advice = "Wait an hour. What you reported before is being looked at."
    default_status = 429
    retry_after_s = 3600


class ReportsSuspended(ProofsheetError):
    """Reports of this sender are not taken for a while."""

    default_code = "notices_suspended"
    default_message = (
        f"{MOST_UNFOUNDED} of your reports were manifestly unfounded, so none are taken from you "
        "for now."
    )
    default_advice = f"Reports are taken again {SUSPENDED_FOR.days} days after the last of them."
    default_status = 403


@dataclass(frozen=True, slots=True)
class Sender:
    """Who reports: an account, or without one a keyed digest of the network address."""

    user: User | None
    digest: str

    @property
    def is_trusted(self) -> bool:
        return is_trusted(self.user)


class _ByAddress(RateThrottle):
    """Everybody by network address, with an account or without."""

    scope, rate = "notices-address", "20/hour"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        return None if is_trusted(_user(request)) else self.key_of(self.get_ident(request))

    def key_of(self, ident: object) -> str:
        return str(self.cache_format % {"scope": self.scope, "ident": ident})


class _ByAccount(_ByAddress):
    scope, rate = "notices-account", "10/hour"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        user = _user(request)
        return None if user is None or is_trusted(user) else self.key_of(user.pk)


class _ByFlagger(_ByAddress):
    scope, rate = "notices-flagger", "600/hour"

    def get_cache_key(self, request: Any, view: Any) -> str | None:
        user = _user(request)
        return self.key_of(user.pk) if user and is_trusted(user) else None


def throttle(request: HttpRequest) -> None:
    """Count one report against its sender. Raises TooManyReports."""
    for limit in (_ByAddress(), _ByAccount(), _ByFlagger()):
        if not limit.allow_request(request, None):  # type: ignore[arg-type] # reads META and user
            raise TooManyReports


def sender_of(request: HttpRequest) -> Sender:
    """Who reports: the account, or without one the keyed digest of the network address."""
    user = _user(request)
    if user is not None:
        return Sender(user, "")
    address = _ByAddress().get_ident(request)  # type: ignore[arg-type] # reads META only
    return Sender(None, salted_hmac("moderation.notices", address, algorithm="sha256").hexdigest())


def is_trusted(user: User | None) -> bool:
    """Whether the account is a trusted flagger's; a superuser is not one by that alone."""
    return (
        user is not None and not user.is_superuser and user.has_perm("moderation.flag_with_trust")
    )


def check(sender: Sender, *, at: datetime) -> None:
    """Raises ReportsSuspended. A decision that an appeal reversed counts for nothing."""
    mine = (
        Report.objects.filter(notifier=sender.user)
        if sender.user
        else Report.objects.filter(notifier=None, sender=sender.digest)
    )
    unfounded = mine.filter(
        case__decision__reason=UNFOUNDED,
        case__decision__reversed_by__isnull=True,
        case__decision__decided_at__gt=at - LOOKS_BACK,
    )
    times = sorted(unfounded.values_list("case__decision__decided_at", flat=True))
    if len(times) >= MOST_UNFOUNDED and at < times[-1] + SUSPENDED_FOR:
        raise ReportsSuspended


def _user(request: Any) -> User | None:
    user = getattr(request, "user", None)
    return user if isinstance(user, User) else None
