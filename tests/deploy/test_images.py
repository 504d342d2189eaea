"""The images: what they hold, what they start, and that a web without models is one."""

from __future__ import annotations

import json
import os
import re
import runpy
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config.launch.embedded_servers import ROOT
from config.launch.programs import WEB_OPTIONS
from config.watching import alive, own_port
from tests.deploy import tools
from tests.deploy.model_packages import PACKAGES

TEXT = (ROOT / "Containerfile").read_text()
LOCK = runpy.run_path(str(ROOT / ".ci" / "web_lock.py"))
NAMES = re.compile(r"^([A-Za-z0-9][\w.-]*)==", re.MULTILINE)


def stage(name: str) -> str:
    return TEXT.partition(f" AS {name}\n")[2].partition("\nFROM ")[0]


def command(name: str) -> list[str]:
    [told] = re.findall(r"^CMD (\[.*?\])$", stage(name), re.MULTILINE | re.DOTALL)
    words: list[str] = json.loads(told.replace("\\\n", ""))
    return words


@tools.needed
def test_hadolint_has_nothing_against_the_containerfile() -> None:
    done = tools.ran(tools.PLACE / "hadolint", "Containerfile")
    assert done.returncode == 0, done.stdout


def test_images_start_what_make_starts() -> None:
    assert command("web")[1:-3] == list(WEB_OPTIONS)
    assert tools.named_by_nobody(command("worker")) == tools.made("gpu")


@pytest.mark.parametrize("name", ["web", "worker"])
def test_image_runs_as_nobody_in_particular_and_says_whether_it_lives(name: str) -> None:
    lines = stage(name).splitlines()
    user, files = lines.index("USER 10001:10001"), [n for n, x in enumerate(lines) if "RUN" in x]
    assert max(files) < user
    assert any(re.match(r"HEALTHCHECK .*config\.watching\.alive", line) for line in lines)


def taken(path: str) -> bool:
    """Whether `COPY .` takes it, as .dockerignore says: the last pattern that fits a part of it."""
    is_taken = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#"):
            words = line.removeprefix("!").replace(".", r"\.").replace("*", "[^/]*")
            if re.match(words.replace("[^/]*[^/]*/", "(.*/)?") + "(/|$)", path):
                is_taken = line.startswith("!")
    return is_taken


def files(*words: str) -> list[str]:
    return tools.ran("git", "ls-files", *words).stdout.splitlines()


def test_no_image_takes_along_what_the_page_has_people_lay_beside_the_release() -> None:
    page = (ROOT / "docs" / "operate" / "install.md").read_text()
    [folder] = re.findall(r"in `\./(\w+)`", page)
    named = {f"{folder}/{name}" for name in re.findall(r"`(\w+\.pem)`", page)}
    named |= set(re.findall(r"from-env-file=(\S+)", page)) | set(re.findall(r"cat > (\S+)", page))
    assert named >= {"certificates/key.pem", "proofsheet.env", "owner.env", ".env"}
    for path in named | {"house.yaml", "config/leaf.key", ".git/HEAD", "var/keys/ca.key"}:
        assert not taken(path), path
    for path in named | {"tests/__pycache__/tools.cpython-311.pyc"}:
        assert tools.ran("git", "check-ignore", "--no-index", path).returncode == 0, path


def test_image_takes_along_all_that_runs_and_git_all_that_is_ours() -> None:
    parts = ("adapters", "config", "generation", "moderation", "provenance", "templates")
    for path in files(*parts, "manage.py", ".ci", "LICENSE", "NOTICE", "requirements*.lock"):
        assert taken(path), path
    assert set(parts) == {path.split("/")[0] for path in files("*/*") if taken(path)} - {".ci"}
    assert not files("--cached", "--ignored", "--exclude-standard")


def test_healthcheck_asks_the_ports_of_every_kind() -> None:
    assert max(max(ports) for ports in own_port.PORTS.values()) < alive.PORTS


def test_lock_of_the_web_is_whole_without_models() -> None:
    """All that its packages need is in it, and what is left out nothing else needs."""
    whole = (ROOT / "requirements.lock").read_text()
    kept = {canonicalize_name(name) for name in NAMES.findall(LOCK["without_models"](whole))}
    all_of_it = {canonicalize_name(name) for name in NAMES.findall(whole)}
    assert all_of_it - kept == LOCK["MODELS"]
    for name in kept:
        for text in distribution(name).requires or ():
            need = Requirement(text)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                assert canonicalize_name(need.name) in kept, f"{name} needs {text}"


def test_packages_that_the_web_is_tried_without_are_not_in_its_lock() -> None:
    blocked = {canonicalize_name(name) for name in PACKAGES}
    assert blocked <= LOCK["MODELS"]
    assert {"torch", "diffusers", "peft", "transformers", "onnxruntime"} <= blocked


BEAT_AND_COMMANDS = """
import tests.deploy.without_models, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
from config.celery import app
app.loader.import_default_modules()
import config.asgi
from django.core.management import get_commands, load_command_class
for name, package in get_commands().items():
    try:
        load_command_class(package, name)
    except ImportError:
        print(name)
"""


def test_web_beat_and_outbox_start_without_models_and_so_does_every_other_command() -> None:
    """A plan of memory is made of a model's parts."""
    done = _run("-c", BEAT_AND_COMMANDS)
    assert done.stdout.split() == ["plan_memory"], done.stderr


@pytest.mark.slow
def test_every_address_answers_alike_without_models() -> None:
    """All that `test_unchanged.py` reads, by everybody: byte for byte what a house with models
    answers."""
    words = ("-p", "tests.deploy.without_models", "-p", "no:randomly", "-q")
    done = _run("-m", "pytest", *words, "tests/house/test_unchanged.py")
    assert done.returncode == 0, done.stdout[-4000:]
    assert "passed" in done.stdout


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """In an environment without the servers of these tests."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=kept, capture_output=True, text=True, check=False
    )
