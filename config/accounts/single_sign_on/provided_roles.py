"""Roles that follow from a provider's groups, at every sign-in and every word of SCIM.

Whose a role is follows from the last change of it: a provider takes back what it gave, and nothing
that people gave; and what people took it does not give again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from config.accounts.roles import role_changes
from config.accounts.single_sign_on import said_by_provider
from config.models import RoleChange

Kind = RoleChange.Kind


@dataclass(frozen=True, slots=True)
class Settled:
    """What changed; `refused` are roles that the provider gives and the house does not."""

    given: frozenset[str]
    taken: frozenset[str]
    refused: frozenset[str]


@transaction.atomic
def settle(account: User, *, roles: frozenset[str], source: str, at: datetime) -> Settled:
    """Make `roles` all that the account has of this provider. A superuser's are nobody's to change:
    nothing happens to one.
    """
    account = User.objects.select_for_update().get(pk=account.pk)
    if account.is_superuser:
        return Settled(frozenset(), frozenset(), roles)
    held = frozenset(account.groups.values_list("name", flat=True))
    last = _last_changes(account)
    managed = {role for role, change in last.items() if change.source == source}
    barred = {role for role, row in last.items() if row.kind == Kind.TAKE and not row.source}
    taken = frozenset(held & managed - roles)
    wanted = roles - held - barred
    given = said_by_provider.kept_apart(held=held - taken, given=frozenset(wanted))
    for kind, changed in ((Kind.TAKE, taken), (Kind.GIVE, given)):
        for role in sorted(changed):
            role_changes.provide(account, kind=kind, role=role, source=source, at=at)
    return Settled(given=given, taken=taken, refused=roles - held - given)


def close(account: User, *, source: str, at: datetime) -> None:
    """End its sessions and keys at once, and let nobody in; nothing where it is closed already."""
    if User.objects.filter(pk=account.pk, is_active=True, is_superuser=False).exists():
        role_changes.provide(account, kind=Kind.CLOSE, source=source, at=at)


def reopen(account: User, *, source: str, at: datetime) -> bool:
    """Whether it is open now: what people closed, no provider opens."""
    if User.objects.filter(pk=account.pk, is_active=True).exists():
        return True
    closings = RoleChange.objects.filter(
        account=account, status=RoleChange.Status.IN_FORCE, kind__in=(Kind.CLOSE, Kind.OPEN)
    )
    last = closings.order_by("-decided_at", "-asked_at").first()
    if last is None or last.source != source:
        return False
    role_changes.provide(account, kind=Kind.OPEN, source=source, at=at)
    return True


def _last_changes(account: User) -> dict[str, RoleChange]:
    rows = RoleChange.objects.filter(
        account=account, status=RoleChange.Status.IN_FORCE, kind__in=(Kind.GIVE, Kind.TAKE)
    )
    return {row.role: row for row in rows.order_by("decided_at", "asked_at")}
