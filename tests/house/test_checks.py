"""A house that is not fit for production does not start as one, and says all of it at once."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import override_settings

from config import checks
from config.launch.child_processes import free_port
from config.launch.embedded_servers import ROOT
from config.launch.programs import program

GOOD_KEY = "".join(chr(35 + number % 80) for number in range(7, 700, 11))
PRODUCTION = {
    "PROOFSHEET_LOCAL": "0",
    "SECRET_KEY": GOOD_KEY,
    "ALLOWED_HOSTS": "images.example",
    "PUBLIC_URL": "https://images.example",
    "DEFAULT_FROM_EMAIL": "notices@images.example",
    "PROOFSHEET_PROXIES": "1",
    "PROOFSHEET_PROXY_NETWORKS": "10.0.0.7",
    "PROOFSHEET_LOG_ORIGIN": "images.example/log",
}


def run(folder: Path, *command: str, **said: str) -> subprocess.CompletedProcess[str]:
    """A program of the house in an environment of its own, on the servers of the tests."""
    servers = ("PATH", "HOME", "PYTHONPATH", "DATABASE_URL", "BROKER_URL", "CACHE_URL")
    kept = {name: os.environ[name] for name in servers if name in os.environ}
    return subprocess.run(
        command,
        cwd=ROOT,
        env=kept | {"PROOFSHEET_STATE_DIR": str(folder)} | said,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def check(folder: Path, **said: str) -> str:
    done = run(folder, sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING",
               **said)  # fmt: skip
    assert (done.returncode == 0) == ("identified no issues" in done.stdout), done.stderr
    return done.stdout + done.stderr


def test_a_production_start_passes_the_deployment_check(tmp_path: Path) -> None:
    assert "identified no issues" in check(tmp_path, **PRODUCTION)


def test_each_thing_that_stands_against_production_is_said_at_once(tmp_path: Path) -> None:
    keys, media = tmp_path / "keys", tmp_path / "media"
    for folder in (keys, media):
        folder.mkdir()
        folder.chmod(0o755)
    loose = {
        "PROOFSHEET_LOCAL": "0",
        "SECRET_KEY": "x",
        "DEBUG": "1",
        "ALLOWED_HOSTS": "*",
        "PUBLIC_URL": "http://localhost:8000",
        "EMAIL_BACKEND": "django.core.mail.backends.console.EmailBackend",
        "PROOFSHEET_PROXY_NETWORKS": "0.0.0.0/1,128.0.0.0/1",
        "PROOFSHEET_SECOND_FACTOR": "0",
    }
    told = check(tmp_path, **loose)
    wanted = ["SECRET_KEY is too easy", "DEBUG is on", "ALLOWED_HOSTS has '*'", "PUBLIC_URL is",
              "EMAIL_BACKEND reaches nobody", "DEFAULT_FROM_EMAIL", "PROOFSHEET_PROXIES is not set",
              "PROOFSHEET_PROXY_NETWORKS has 0.0.0.0/1",
              "PROOFSHEET_PROXY_NETWORKS has 128.0.0.0/1", "PROOFSHEET_LOG_ORIGIN is not set",
              f"can open {media}", f"can open {keys}"]  # fmt: skip
    assert [each for each in wanted if each not in told] == []


@pytest.mark.parametrize(
    "command",
    [
        (sys.executable, "-c", "import config.asgi"),
        (program("celery"), "-A", "config", "worker", "--pool", "solo"),
        (program("celery"), "-A", "config", "beat"),
        (sys.executable, "manage.py", "prepare_house"),
    ],
    ids=["web", "worker", "beat", "prepare_house"],
)
def test_no_process_starts_with_such_settings(tmp_path: Path, command: tuple[str, ...]) -> None:
    done = run(tmp_path, *command, PROOFSHEET_LOCAL="0", DEBUG="1")
    assert done.returncode != 0
    told = done.stdout + done.stderr
    for number in (1, 2, 3, 4, 5, 6, 9):
        assert f"proofsheet.E00{number}: " in told
    assert "SECRET_KEY is not set" in told


@pytest.mark.parametrize(
    ("names", "sentence"),
    [
        ({"SECRET_KEY": "a" * 60}, "SECRET_KEY is too easy"),
        ({"SECRET_KEY": "django-insecure-" + GOOD_KEY}, "SECRET_KEY is too easy"),
        ({"SECRET_KEY": "password-1" * 6}, "SECRET_KEY is too easy"),
        ({"ALLOWED_HOSTS": ["images.example", ".example"]}, "under a whole top-level domain"),
        ({"PUBLIC_URL": "https://images.example/shop"}, "nothing follows its host"),
        ({"PUBLIC_URL": "https://me:pw@images.example"}, "nothing follows its host"),
        ({"PUBLIC_URL": "https://images.example/?a=1"}, "nothing follows its host"),
        ({"ALLOWED_HOSTS": ["other.example"]}, "images.example, which is not among ALLOWED_HOSTS"),
        ({"PUBLIC_URL": "https:///x"}, "it begins with https:// and a host"),
        ({"PROOFSHEET_PROXY_NETWORKS": ["proxy"]}, "names no network"),
        ({"PROOFSHEET_PROXY_NETWORKS": ["0.0.0.0/0"]}, "has 0.0.0.0/0"),
        ({"PROOFSHEET_PROXY_NETWORKS": ["10.0.0.0/7"]}, "has 10.0.0.0/7"),
        ({"PROOFSHEET_PROXY_NETWORKS": ["10.0.0.7", "0::0/0"]}, "has ::/0"),
        ({"PROOFSHEET_PROXY_NETWORKS": ["2000::/3"]}, "has 2000::/3"),
        ({"PROXIES": -1}, "PROOFSHEET_PROXIES is -1"),
        ({"PROOFSHEET_LOG_ORIGIN": "log"}, "PROOFSHEET_LOG_ORIGIN is 'log'"),
        ({"PROOFSHEET_SECOND_FACTOR": False}, "PROOFSHEET_SECOND_FACTOR is off"),
        ({"PRIVATE_STORAGE_BACKEND": "no.such.Storage"}, "cannot be loaded"),
        ({"PRIVATE_STORAGE_OPTIONS": {"location": "/var/s/media"}}, "everybody can read"),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch, names: dict[str, object], sentence: str
) -> None:
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    good: dict[str, object] = {
        "SECRET_KEY": GOOD_KEY,
        "ALLOWED_HOSTS": ["images.example", ".images.example"],
        "PUBLIC_URL": "https://images.example",
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "DEFAULT_FROM_EMAIL": "notices@images.example",
        "PROXIES": 1,
        "PROOFSHEET_PROXY_NETWORKS": ["10.0.0.0/8", "fd00:1::/32", "127.0.0.1"],
        "PROOFSHEET_LOG_ORIGIN": "images.example/log",
        "PROOFSHEET_SECOND_FACTOR": True,
        "PRIVATE_STORAGE_OPTIONS": {},
        "STATIC_ROOT": Path("/var/s"),
        "PROOFSHEET_KEYS_DIR": Path("/no/such/folder"),
    }
    with override_settings(**good):
        assert checks.problems() == []
    with override_settings(**good | names):
        [only] = checks.problems()
    assert sentence in only.msg


def test_a_proxy_is_nowhere_but_here_until_it_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked = "from django.conf import settings; print(settings.PROOFSHEET_PROXY_NETWORKS)"
    told = run(tmp_path, sys.executable, "manage.py", "shell", "-v", "0", "-c", asked,
               PROOFSHEET_PROXIES="1")  # fmt: skip
    assert told.stdout.strip() == "['127.0.0.0/8', '::1']", told.stderr
    monkeypatch.delenv("PROOFSHEET_PROXY_NETWORKS", raising=False)
    monkeypatch.setenv("PROOFSHEET_PROXIES", "1")
    with override_settings(PROXIES=1):
        assert any("PROXY_NETWORKS is not set" in each.msg for each in checks.problems())
    with override_settings(PROXIES=0):
        assert not any("PROXY_NETWORKS" in each.msg for each in checks.problems())


@pytest.mark.parametrize(
    ("said", "header"),
    [
        ("preload", "max-age=31536000; includeSubDomains; preload"),
        ("subdomains", "max-age=31536000; includeSubDomains"),
        ("host", "max-age=31536000"),
        ("off", "None"),
    ],
)
def test_browsers_are_bound_to_https_as_far_as_the_operator_says(
    tmp_path: Path, said: str, header: str
) -> None:
    asked = (
        "from django.http import HttpResponse; from django.test import RequestFactory;"
        "from django.middleware.security import SecurityMiddleware;"
        "ask = RequestFactory().get('/', secure=True, headers={'host': 'images.example'});"
        "answer = SecurityMiddleware(lambda _: HttpResponse())(ask);"
        "print(answer.get('Strict-Transport-Security'))"
    )
    told = run(tmp_path, sys.executable, "manage.py", "shell", "-v", "0", "-c", asked,
               **PRODUCTION, HSTS=said)  # fmt: skip
    assert told.stdout.strip() == header, told.stderr


def test_make_run_says_all_of_it_too(tmp_path: Path) -> None:
    folder = ROOT / "var" / "test" / tmp_path.name
    command = (sys.executable, "-m", "config.launch.supervisor", "--port", str(free_port()))
    done = run(folder, *command, PROOFSHEET_LOCAL="0")
    assert done.returncode == 1
    assert done.stderr.startswith("Proofsheet cannot run. These settings are not fit")
    assert "proofsheet.E003" in done.stderr
    assert "Traceback" not in done.stderr
