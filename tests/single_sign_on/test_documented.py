"""What docs/operate/single-sign-on.md says to copy works when it is copied."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from config.accounts.roles.role_names import ROLE_NAMES
from config.accounts.single_sign_on import sign_on_file
from tests.single_sign_on.conftest import Provider, Told, who

DOCUMENT = Path(__file__).parents[2] / "docs/operate/single-sign-on.md"


@pytest.fixture
def copied(tmp_path: Path) -> dict[str, Any]:
    """All of its TOML in one file, with the paths of this host."""
    blocks = re.findall(r"^```toml\n(.*?)^```", DOCUMENT.read_text(), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 3
    text = "\n".join(blocks).replace("/etc/proofsheet/", f"{tmp_path}/")
    for name in ("sign-on-secret", "idp.pem"):
        (tmp_path / name).write_text("something")
    return tomllib.loads(text)


def test_the_example_is_understood_as_a_whole_and_in_production(copied: dict[str, Any]) -> None:
    found = sign_on_file.understood(copied, roles=ROLE_NAMES, is_local=False)
    assert [one.kind for one in found.providers] == ["oidc", "saml"]
    assert found.provisioning is not None


def test_every_line_that_the_file_may_have_is_named(copied: dict[str, Any]) -> None:
    text = DOCUMENT.read_text()
    for line in ("subject", "scopes", "email_trusted", "second_factor", "session_hours"):
        assert f"| `{line}` |" in text
    assert {"roles_from", "secret_env"} <= set(re.findall(r"\w+", text))


@pytest.mark.django_db
def test_the_example_signs_people_in(
    copied: dict[str, Any], provider: Provider, tell: Told
) -> None:
    copied["provider"][0]["issuer"] = provider.issuer
    tell(provider=copied["provider"], scim=copied["scim"])
    client = Client()
    provider.sign_in(client, "nora", groups=["proofsheet-seniors"])
    assert who(client) == "nora"
    assert client.get("/appeals/").status_code == 200
    stranger = Client()
    provider.sign_in(stranger, "otto", groups=["canteen"])
    assert who(stranger) == ""


@pytest.mark.django_db
def test_the_check_asks_the_provider_and_looks_at_emergency_accounts(
    provider: Provider, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("check_sign_on")
    assert f"answers as {provider.issuer}" in capsys.readouterr().out
    provider.configure(issuer="http://localhost:1", top={"emergency_accounts": ["carol"]})
    with pytest.raises(CommandError) as refused:
        call_command("check_sign_on")
    assert "Corp cannot be reached" in str(refused.value)
    assert "emergency account carol: there is no open account" in str(refused.value)
