"""What a provider said of who signs in, and what it means by the house's rules. Pure.

A provider that names more groups than it sends leaves out which: then nobody knows the person's
groups, and no role follows from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

GROUPS_MAX = 2000
TEXT_MAX = 256
UID_MAX = 191  # what the table of accounts holds
OVERAGE_ATTRIBUTES = frozenset(
    {"http://schemas.microsoft.com/claims/groups.link", "groups.link", "hasgroups"}
)
# Whoever opens accounts and machines reads no cases: nobody is given both by one hand.
OF_THE_MACHINES = frozenset({"operators"})
OF_THE_CASES = frozenset({"moderators", "senior moderators", "compliance"})


@dataclass(frozen=True, slots=True)
class Said:
    """One sign-in, as its provider told it. `groups` is None where it left some out."""

    provider: str
    uid: str
    username: str = ""
    email: str = ""
    is_email_verified: bool = False
    groups: frozenset[str] | None = frozenset()
    methods: frozenset[str] = frozenset()
    external_id: str = ""


def groups_in(claims: Mapping[str, Any], name: str) -> frozenset[str] | None:
    """The groups of claims or attributes; None for an overage, or for what is no list of texts."""
    if _is_overage(claims, name):
        return None
    found = claim(claims, name)
    if found is None:
        return frozenset()
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list | tuple) or len(listed) > GROUPS_MAX:
        return None
    if not all(isinstance(one, str) and len(one) <= TEXT_MAX for one in listed):
        return None
    return frozenset(listed)


def _is_overage(claims: Mapping[str, Any], name: str) -> bool:
    elsewhere = claims.get("_claim_names")
    is_elsewhere = isinstance(elsewhere, Mapping) and (name in elsewhere or "groups" in elsewhere)
    return is_elsewhere or any(claims.get(one) for one in OVERAGE_ATTRIBUTES)


def claim(claims: Mapping[str, Any], name: str) -> Any:
    """By its own name, or by the way to it (`realm_access.roles`)."""
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def text(claims: Mapping[str, Any], name: str) -> str:
    """A claim that is a text of a sane length; "" for any other."""
    found = claim(claims, name)
    if isinstance(found, list | tuple) and len(found) == 1:
        found = found[0]
    return found if isinstance(found, str) and len(found) <= TEXT_MAX else ""


def methods_in(claims: Mapping[str, Any]) -> frozenset[str]:
    """How the provider says that it was proved: `amr` (RFC 8176) and `acr` together."""
    amr, acr = claims.get("amr"), claims.get("acr")
    listed = amr if isinstance(amr, list) else [amr]
    return frozenset(one for one in (*listed, acr) if isinstance(one, str))


def roles_of(groups: Iterable[str], by_group: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """By the map alone: a group that nobody mapped gives nothing, whatever it is called."""
    return frozenset(role for group in groups for role in by_group.get(group, ()))


def kept_apart(*, held: frozenset[str], given: frozenset[str]) -> frozenset[str]:
    """What of `given` may join `held`: nobody has the machines and the cases."""
    both = held | given
    if not (both & OF_THE_MACHINES and both & OF_THE_CASES):
        return given
    if held & OF_THE_MACHINES:
        return given - OF_THE_CASES
    if held & OF_THE_CASES:
        return given - OF_THE_MACHINES
    return given - OF_THE_MACHINES - OF_THE_CASES


def is_of(email: str, domains: Iterable[str]) -> bool:
    """Whether the address is at one of the domains themselves, not below one."""
    name, at, domain = email.rpartition("@")
    return bool(name and at) and domain.lower() in set(domains)
