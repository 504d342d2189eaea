"""Identity providers that answer on loopback, and a house that is told of them."""

from __future__ import annotations

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from django.contrib.auth.models import Group, User
from django.test import Client
from pytest_django import Settings

from config.accounts.roles.role_names import ROLE_NAMES
from config.accounts.single_sign_on import allauth_apps, sign_on_file
from config.launch.child_processes import free_port, spawn

LOGIN = "/accounts/oidc/corp/login/"
ROLES = {"pf-moderators": ["moderators"], "pf-ops": ["operators"], "pf-staff": []}
Told = Callable[..., None]


@pytest.fixture
def tell(settings: Settings) -> Told:
    """`tell(provider=[…])`: the house reads that as its file."""

    def as_file(**said: Any) -> None:
        sign_on = sign_on_file.understood(said, roles=ROLE_NAMES, is_local=True)
        settings.PROOFSHEET_SIGN_ON = sign_on
        settings.SOCIALACCOUNT_PROVIDERS = allauth_apps.apps_of(sign_on, is_local=True)

    return as_file


@dataclass
class Provider:
    """oidc-provider-mock, and a person's way through it."""

    issuer: str
    tell: Told
    secret_file: str

    def said(self, **said: Any) -> dict[str, Any]:
        """Its table in the file."""
        return {
            "id": "corp",
            "kind": "oidc",
            "name": "Corp",
            "issuer": self.issuer,
            "client_id": "proofsheet",
            "secret_file": self.secret_file,
            "roles": ROLES,
            "domains": ["corp.example"],
            "sign_up": "open",
        } | said

    def configure(self, *, top: dict[str, Any] | None = None, **said: Any) -> None:
        self.tell(provider=[self.said(**said)], **(top or {}))

    def knows(self, sub: str, **claims: Any) -> None:
        told: dict[str, Any] = {"email": f"{sub}@corp.example", "email_verified": True} | claims
        answer = requests.put(f"{self.issuer}/users/{sub}", json=told, timeout=5)
        answer.raise_for_status()

    def redirected(self, client: Client, sub: str, *, login: str = LOGIN) -> str:
        """Where the provider's page sends the browser of `sub` back to."""
        page = client.post(login)
        assert page.status_code == 200, page.content.decode()
        away = re.search(r'href="(http[^"]+/oauth2/authorize[^"]+)"', page.content.decode())
        assert away is not None
        back = requests.post(unescape(away[1]), data={"sub": sub}, allow_redirects=False, timeout=5)
        assert back.status_code == 302, back.text
        return back.headers["Location"]

    def sign_in(self, client: Client, sub: str, **claims: Any) -> Any:
        self.knows(sub, **claims)
        return come_back(client, self.redirected(client, sub))


def come_back(client: Client, address: str, **more: str) -> Any:
    """As the browser does: the callback's path with its parameters."""
    parts = urlsplit(address)
    words = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return client.get(parts.path, words | more)


def who(client: Client) -> str:
    """The account that a browser is signed in to, "" for nobody."""
    pk = client.session.get("_auth_user_id")
    return User.objects.get(pk=pk).username if pk else ""


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """oidc-provider-mock in a process of its own: what its libraries warn of is not ours."""
    with oidc_provider(tmp_path_factory.mktemp("provider")) as issuer:
        yield issuer


@contextmanager
def oidc_provider(folder: Path) -> Iterator[str]:
    """Its issuer's address."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "--port", str(port)]
    process = spawn(
        command,
        log=folder / "provider.log",
        dies_by=signal.SIGKILL,
        cwd=folder,
        env={"PATH": os.environ["PATH"]},
    )
    try:
        _wait_until_it_answers(f"http://localhost:{port}")
        yield f"http://localhost:{port}"
    finally:
        process.kill()
        process.wait()


def _wait_until_it_answers(address: str) -> None:
    for _ in range(300):
        try:
            requests.get(address, timeout=5)
            return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise TimeoutError(address)


@pytest.fixture
def provider(_server: str, tell: Told, tmp_path: Any, roles: dict[str, Group]) -> Provider:
    """Configured as `corp`."""
    secret = tmp_path / "secret"
    secret.write_text("a client's secret")
    found = Provider(issuer=_server, tell=tell, secret_file=str(secret))
    found.configure()
    return found
