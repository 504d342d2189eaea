"""What a house is told of its identity providers: one TOML file, which `SIGN_ON_FILE` names.

Read once, at the start. A line that is not understood ends the start by its name: a misspelt rule
about who may come in must not be one that is not there.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

SignUp = Literal["mapped", "open", "closed"]
RolesFrom = Literal["claims", "scim"]
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,30}")
_DOMAIN = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_EMERGENCY_MIN = 2  # one may be ill, or have lost the second factor
_MOST_HOURS = 24 * 14


@dataclass(frozen=True, slots=True)
class IdentityProvider:
    """One provider. `id` is in the key of every account that came through it: it never changes.

    `roles` says for a group, as the provider spells it, which roles of the house it gives.
    `second_factor` lists the values of `amr` or `acr` that count as the house's second factor.
    """

    id: str
    kind: Literal["oidc", "saml"]
    name: str
    client_id: str = ""
    secret: str = field(default="", repr=False)
    issuer: str = ""
    certificate: str = ""
    sso_url: str = ""
    subject: str = "sub"
    groups: str = "groups"
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    roles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    roles_from: RolesFrom = "claims"
    domains: tuple[str, ...] = ()
    sign_up: SignUp = "mapped"
    is_email_trusted: bool = False
    second_factor: tuple[str, ...] = ()
    session_hours: int = 12


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Which provider's accounts and groups arrive by SCIM; `subject` is the claim that repeats
    SCIM's externalId when somebody signs in."""

    provider: str
    subject: str


@dataclass(frozen=True, slots=True)
class SignOn:
    """All of the file. Without one there is none, and everything is as without this module."""

    providers: tuple[IdentityProvider, ...] = ()
    is_enforced: bool = False
    emergency: tuple[str, ...] = ()
    provisioning: Provisioning | None = None

    def provider(self, provider_id: str) -> IdentityProvider | None:
        return next((one for one in self.providers if one.id == provider_id), None)

    @property
    def names(self) -> str:
        """The providers as a sentence names them."""
        return " or ".join(one.name for one in self.providers)


def read(path: str, *, roles: frozenset[str], is_local: bool) -> SignOn:
    """The file at `path`, none for "". Raises ImproperlyConfigured with the line's name."""
    if not path:
        return SignOn()
    try:
        said = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"SIGN_ON_FILE: {path} cannot be read: {error}.") from error
    return understood(said, roles=roles, is_local=is_local)


def understood(said: dict[str, Any], *, roles: frozenset[str], is_local: bool) -> SignOn:
    """The parsed file as values. Raises ImproperlyConfigured."""
    top = _Table(dict(said), "")
    providers = tuple(
        _provider(_Table(one, f"provider {number}: "), roles=roles, is_local=is_local)
        for number, one in enumerate(top.tables("provider"), start=1)
    )
    ids = [one.id for one in providers]
    if len(set(ids)) != len(ids):
        raise top.wrong("provider", "has two of one id")
    found = SignOn(
        providers=providers,
        is_enforced=top.flag("enforced"),
        emergency=top.texts("emergency_accounts"),
        provisioning=_provisioning(top, providers),
    )
    top.end()
    if found.is_enforced and not providers:
        raise top.wrong("enforced", "needs a provider")
    if found.is_enforced and len(set(found.emergency)) < _EMERGENCY_MIN:
        raise top.wrong(
            "emergency_accounts", f"names {_EMERGENCY_MIN} local accounts or more where enforced"
        )
    return found


def _provider(said: _Table, *, roles: frozenset[str], is_local: bool) -> IdentityProvider:
    kind = cast(Literal["oidc", "saml"], said.one_of("kind", ("oidc", "saml")))
    is_oidc = kind == "oidc"
    hours = said.number("session_hours", 12)
    if not 1 <= hours <= _MOST_HOURS:
        raise said.wrong("session_hours", f"is from 1 to {_MOST_HOURS}")
    found = IdentityProvider(
        id=said.matching("id", _ID),
        kind=kind,
        name=said.text("name"),
        client_id=said.text("client_id") if is_oidc else "",
        secret=said.secret() if is_oidc else "",
        issuer=said.address("issuer", is_local=is_local) if is_oidc else said.text("entity_id"),
        certificate="" if is_oidc else said.file("certificate_file"),
        sso_url="" if is_oidc else said.address("sso_url", is_local=is_local),
        subject=said.text("subject", "sub" if is_oidc else ""),
        groups=said.text("groups", "groups"),
        scopes=said.texts("scopes", ("openid", "profile", "email")) if is_oidc else (),
        roles=_role_map(said, roles),
        roles_from=cast(RolesFrom, said.one_of("roles_from", ("claims", "scim"), "claims")),
        domains=tuple(said.each_matching("domains", _DOMAIN)),
        sign_up=cast(SignUp, said.one_of("sign_up", ("mapped", "open", "closed"), "mapped")),
        is_email_trusted=said.flag("email_trusted"),
        second_factor=said.texts("second_factor"),
        session_hours=hours,
    )
    said.end()
    if found.is_email_trusted and not found.domains:
        raise said.wrong("email_trusted", "needs `domains`: addresses of others are never trusted")
    return found


def _role_map(said: _Table, known: frozenset[str]) -> dict[str, tuple[str, ...]]:
    table = said.take("roles", {})
    if not isinstance(table, dict):
        raise said.wrong("roles", "is a table: group = [roles]")
    for group, names in table.items():
        if not isinstance(names, list) or not set(map(str, names)) <= known:
            known_names = ", ".join(sorted(known))
            raise said.wrong(f"roles.{group}", f"is a list of these: {known_names}")
    return {group: tuple(names) for group, names in table.items()}


def _provisioning(top: _Table, providers: tuple[IdentityProvider, ...]) -> Provisioning | None:
    table = top.take("scim", None)
    if table is None:
        return None
    said = _Table(table, "scim: ")
    provider = said.text("provider")
    if provider not in {one.id for one in providers}:
        raise said.wrong("provider", "is the id of a provider in this file")
    found = Provisioning(provider=provider, subject=said.text("subject", "sub"))
    said.end()
    return found


class _Table:
    """Takes members out one by one; what is left at the end is not known."""

    def __init__(self, said: Any, place: str) -> None:
        if not isinstance(said, dict):
            raise ImproperlyConfigured(
                f"SIGN_ON_FILE: {place.rstrip(': ') or 'all of it'} is no table."
            )
        self._said, self._place = dict(said), place

    def wrong(self, name: str, sentence: str) -> ImproperlyConfigured:
        return ImproperlyConfigured(f"SIGN_ON_FILE: {self._place}{name} {sentence}.")

    def end(self) -> None:
        if self._said:
            raise self.wrong(min(self._said), "is not known")

    def take(self, name: str, default: Any) -> Any:
        return self._said.pop(name, default)

    def tables(self, name: str) -> list[Any]:
        found = self.take(name, [])
        if not isinstance(found, list):
            raise self.wrong(name, f"is a list: write [[{name}]]")
        return found

    def text(self, name: str, default: str | None = None) -> str:
        found = self.take(name, default)
        if found is None or not isinstance(found, str) or (found == "" and default is None):
            raise self.wrong(name, "is missing or no text")
        return found

    def texts(self, name: str, default: tuple[str, ...] = ()) -> tuple[str, ...]:
        found = self.take(name, list(default))
        if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
            raise self.wrong(name, "is a list of texts")
        return tuple(found)

    def flag(self, name: str) -> bool:
        found = self.take(name, False)
        if not isinstance(found, bool):
            raise self.wrong(name, "is true or false")
        return found

    def number(self, name: str, default: int) -> int:
        found = self.take(name, default)
        if not isinstance(found, int) or isinstance(found, bool):
            raise self.wrong(name, "is a whole number")
        return found

    def one_of(self, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
        found = self.text(name, default)
        if found not in choices:
            raise self.wrong(name, f"is {' or '.join(choices)}")
        return found

    def matching(self, name: str, pattern: re.Pattern[str]) -> str:
        found = self.text(name)
        if not pattern.fullmatch(found):
            raise self.wrong(name, "is of lower-case letters, digits and hyphens")
        return found

    def each_matching(self, name: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        found = tuple(one.lower() for one in self.texts(name))
        if not all(map(pattern.fullmatch, found)):
            raise self.wrong(name, "is a list of domains, such as corp.example")
        return found

    def address(self, name: str, *, is_local: bool) -> str:
        found = self.text(name)
        parts = urlsplit(found)
        is_own_host = is_local and parts.scheme == "http"
        if not parts.hostname or not (parts.scheme == "https" or is_own_host):
            raise self.wrong(name, "begins with https:// and a host")
        return found

    def file(self, name: str) -> str:
        path = self.text(name)
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:
            raise self.wrong(name, f"cannot be read: {error}") from error

    def secret(self) -> str:
        """Never in this file: it is shown around, and kept in repositories."""
        if variable := self.take("secret_env", None):
            if found := os.environ.get(str(variable)):
                return found
            raise self.wrong("secret_env", f"names {variable}, which is not set")
        return self.file("secret_file")
