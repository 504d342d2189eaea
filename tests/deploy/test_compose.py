"""compose.yaml: docker's own reader takes it, and its house is one that `check` lets start."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from config.launch.embedded_servers import ROOT
from tests.deploy import tools

PAGE = (ROOT / "docs" / "operate" / "install.md").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
OURS = ("web", "beat", "outbox", "cpu", "render", "render-cuda", "prepare")
GRACE_S = 60 + 15


def dotenv(folder: Path) -> Path:
    """The `.env` that the page has an operator write, made as it says."""
    [script] = re.findall(
        r"^```\n(cat > \.env <<EOF\n.*?\nEOF)\n```", PAGE, re.MULTILINE | re.DOTALL
    )
    subprocess.run(["sh", "-c", script], cwd=folder, check=True)
    return folder / ".env"


def config(folder: Path, *words: str, changed: tuple[str, str] = ("", "")) -> Any:
    """What docker makes of the file with the page's `.env`, profiles of both devices."""
    file = folder / "compose.yaml"
    file.write_text((ROOT / "compose.yaml").read_text().replace(*changed))
    said = ("--env-file", str(dotenv(folder)), "--file", str(file), "--profile", "*")
    return tools.ran(
        tools.PLACE / "docker-compose", *said, "config", *words, DOCKER_CONFIG=str(folder)
    )


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    done = config(tmp_path_factory.mktemp("compose"), "--format", "json")
    assert done.returncode == 0, done.stderr
    assert "variable is not set" not in done.stderr
    found: dict[str, Any] = json.loads(done.stdout)["services"]
    return found


@tools.needed
def test_reader_finds_a_misspelt_key(tmp_path: Path) -> None:
    done = config(tmp_path, "-q", changed=("read_only: true", "read_onyl: true"))
    assert done.returncode != 0
    assert "read_onyl" in done.stderr


@tools.needed
def test_nothing_of_ours_is_root_or_writes_its_image(services: dict[str, Any]) -> None:
    for name in OURS:
        each = services[name]
        assert each["read_only"] is True, name
        assert each["cap_drop"] == ["ALL"], name
        assert each["security_opt"] == ["no-new-privileges:true"], name
        [keys] = [part for part in each["volumes"] if part.get("source") == "keys"]
        assert keys.get("read_only", False) is (name != "prepare"), name
        assert "DATABASE_OWNER_URL" not in each["environment"] or name == "prepare"


@tools.needed
@pytest.mark.parametrize(
    ("name", "queue"),
    [("cpu", "cpu"), ("outbox", "outbox")],
)
def test_workers_are_started_as_make_starts_them(
    services: dict[str, Any], name: str, queue: str
) -> None:
    assert tools.named_by_nobody(services[name]["command"]) == tools.made(queue)


@tools.needed
def test_workers_have_their_time_to_hand_back(services: dict[str, Any]) -> None:
    for name in ("cpu", "outbox", "render", "render-cuda"):
        assert services[name]["stop_grace_period"] == f"{GRACE_S // 60}m{GRACE_S % 60}s"


@tools.needed
def test_proxy_finds_the_web_where_its_configuration_says(services: dict[str, Any]) -> None:
    """At an address that stays when the web restarts; the rest of the file is the page's."""
    proxy, web = services["proxy"], services["web"]
    assert {port["target"] for port in proxy["ports"]} == {80, 443}
    assert set(proxy["networks"]) == {"front"}
    page = ROOT / "docs" / "operate" / "nginx.conf"
    conf = page.read_text()
    [sed] = [line for line in proxy["command"][2].splitlines() if line.startswith("sed ")]
    mounted = {part["target"] for part in proxy["volumes"]}
    assert "/house.conf" in mounted
    written = tools.ran("sh", "-ec", sed.replace("/house.conf", str(page)).split(" > ")[0]).stdout
    address = web["networks"]["front"]["ipv4_address"]
    changed = set(written.splitlines()) - set(conf.splitlines())
    assert {" ".join(line.split()) for line in changed} == {
        "include /etc/nginx/mime.types;",
        f"upstream proofsheet {{ server {address}:8000; keepalive 64; }}",
    }
    for path in re.findall(r"ssl_certificate\w*\s+(\S+);", conf):
        assert any(path.startswith(folder) for folder in mounted), path


@tools.needed
def test_web_believes_its_proxy_and_nobody_else(services: dict[str, Any]) -> None:
    address = services["proxy"]["networks"]["front"]["ipv4_address"]
    assert services["web"]["environment"]["PROOFSHEET_PROXY_NETWORKS"] == address
    assert {name for name, each in services.items() if "front" in each["networks"]} == {
        "web", "proxy",
    }  # fmt: skip


@tools.needed
def test_logs_of_the_proxy_are_docker_s(services: dict[str, Any]) -> None:
    """Its folder of logs is empty at each start, without the links that the image has there."""
    said = services["proxy"]["command"][2]
    assert "/var/log/nginx" in services["proxy"]["tmpfs"]
    assert "/dev/stderr /var/log/nginx/error.log" in said
    assert "/dev/stdout /var/log/nginx/proofsheet.log" in said


@tools.needed
@pytest.mark.parametrize("name", ["web", "prepare"])
def test_settings_of_the_file_are_fit_for_production(services: dict[str, Any], name: str) -> None:
    """As the image runs them: `check --deploy` names every setting that is missing."""
    of_the_image = {"PROOFSHEET_LOCAL": "0", "STATIC_ROOT": "/app/static"}
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "ERROR"],
        cwd=ROOT, capture_output=True, text=True, check=False,
        env={"PATH": os.environ["PATH"], **of_the_image, **services[name]["environment"]},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@tools.needed
def test_both_kinds_of_devices_use_images_that_are_built(services: dict[str, Any]) -> None:
    assert {services[name]["build"]["target"] for name in OURS} == {"web", "worker"}
    [device] = services["render-cuda"]["deploy"]["resources"]["reservations"]["devices"]
    assert device["capabilities"] == ["gpu"]


def test_images_of_others_are_named_with_their_registry_and_version() -> None:
    for name, each in COMPOSE["services"].items():
        if name not in OURS:
            assert re.fullmatch(r"docker\.io/[\w/]+:\d[\w.-]*", each["image"]), name
