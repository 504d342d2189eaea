"""The file of providers: every line is understood, or the start ends by its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from config.accounts.roles.role_names import ROLE_NAMES
from config.accounts.roles.role_permissions import PERMISSIONS
from config.accounts.single_sign_on import sign_on_file
from config.accounts.single_sign_on.said_by_provider import kept_apart

DOCUMENT = Path(__file__).parents[2] / "docs/operate/single-sign-on.md"


@pytest.fixture
def oidc(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "secret").write_text("a secret\n")
    return {
        "id": "corp",
        "kind": "oidc",
        "name": "Corp",
        "issuer": "https://idp.corp.example",
        "client_id": "proofsheet",
        "secret_file": str(tmp_path / "secret"),
    }


def understood(*, is_local: bool = False, **said: Any) -> sign_on_file.SignOn:
    return sign_on_file.understood(said, roles=ROLE_NAMES, is_local=is_local)


def test_the_roles_are_called_here_as_they_are() -> None:
    assert set(PERMISSIONS) == ROLE_NAMES


def test_a_secret_is_read_and_never_shown(oidc: dict[str, Any]) -> None:
    [provider] = understood(provider=[oidc]).providers
    assert provider.secret == "a secret"
    assert "a secret" not in repr(provider)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"kind": "ldap"}, "provider 1: kind is oidc or saml"),
        ({"id": "Corp Ltd"}, "provider 1: id is of lower-case"),
        ({"issuer": "http://idp.corp.example"}, "provider 1: issuer begins with https://"),
        ({"secret": "in clear"}, "provider 1: secret is not known"),
        ({"secret_file": "/nowhere/secret"}, "provider 1: secret_file cannot be read"),
        ({"groups_claim": "groups"}, "provider 1: groups_claim is not known"),
        ({"roles": {"a": ["superusers"]}}, "provider 1: roles.a is a list of these"),
        ({"roles": {"a": "moderators"}}, "provider 1: roles.a is a list of these"),
        ({"domains": ["@corp.example"]}, "provider 1: domains is a list of domains"),
        ({"email_trusted": True}, "provider 1: email_trusted needs `domains`"),
        ({"email_trusted": "yes"}, "provider 1: email_trusted is true or false"),
        ({"sign_up": "everybody"}, "provider 1: sign_up is mapped or open or closed"),
        ({"session_hours": 0}, "provider 1: session_hours is from 1 to"),
        ({"name": 7}, "provider 1: name is missing or no text"),
    ],
)
def test_a_line_that_is_not_understood_ends_the_start(
    oidc: dict[str, Any], changed: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        understood(provider=[oidc | changed])


@pytest.mark.parametrize(
    ("top", "sentence"),
    [
        ({"enforce": True}, "enforce is not known"),
        ({"enforced": True}, "emergency_accounts names 2"),
        ({"enforced": True, "emergency_accounts": ["a", "a"]}, "emergency_accounts names 2"),
        ({"scim": {"provider": "other"}}, "scim: provider is the id"),
        ({"scim": {"provider": "corp", "token": "x"}}, "scim: token is not known"),
        ({"scim": 7}, "scim is no table"),
    ],
)
def test_so_does_a_line_about_the_whole(
    oidc: dict[str, Any], top: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        understood(provider=[oidc], **top)


def test_one_id_is_one_provider(oidc: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured, match="two of one id"):
        understood(provider=[oidc, oidc])


@pytest.mark.parametrize("text", ["no toml", "[[provider]]", "\xff"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sign-on.toml"
    path.write_text(text, encoding="latin-1")
    with pytest.raises(ImproperlyConfigured, match="SIGN_ON_FILE"):
        sign_on_file.read(str(path), roles=ROLE_NAMES, is_local=False)


@pytest.mark.parametrize(
    ("held", "given", "kept"),
    [
        ((), ("operators",), ("operators",)),
        ((), ("moderators", "compliance"), ("moderators", "compliance")),
        ((), ("operators", "moderators"), ()),
        (("operators",), ("moderators", "trusted flaggers"), ("trusted flaggers",)),
        (("compliance",), ("operators",), ()),
    ],
)
def test_nobody_has_the_machines_and_the_cases(
    held: tuple[str, ...], given: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    assert kept_apart(held=frozenset(held), given=frozenset(given)) == frozenset(kept)
