"""Alert rules, dashboard and the page on watching: what they name is told, what they say works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.metrics import MetricWrapperBase
from pytest_django.fixtures import Settings

from config.core.watching import instruments
from config.core.watching.house_gauges import HOUSE
from config.launch.child_processes import free_port
from config.launch.embedded_servers import ROOT
from config.watching import own_port
from generation.hardware import engine_metrics

pytestmark = pytest.mark.django_db
OPERATE = ROOT / "docs" / "operate"
PAGE = (OPERATE / "watch.md").read_text()
SUFFIXES = ("", "_total", "_bucket", "_count", "_sum")
OF_PROMETHEUS = {"le", "instance", "job"}
PROMTOOL = shutil.which("promtool") or str(ROOT / "var/promtool/usr/bin/promtool")
needs_promtool = pytest.mark.skipif(
    not Path(PROMTOOL).exists(), reason="there is no promtool here: `make alerts` unpacks one"
)


def families() -> Iterator[Any]:
    yield from REGISTRY.collect()
    yield from HOUSE.collect()
    yield from engine_metrics.EngineCollector().collect()


def labels_by_name() -> dict[str, set[str]]:
    """Every name that a process or the site tells, with its labels."""
    found = {
        f"{family.name}{suffix}": set(getattr(family, "_labelnames", ()))
        for family in families()
        for suffix in SUFFIXES
    }
    counted = [each for each in vars(instruments).values() if isinstance(each, MetricWrapperBase)]
    for each in counted:
        for suffix in SUFFIXES:
            found[f"{each._name}{suffix}"] = set(each._labelnames)
    return found


def queries() -> list[str]:
    rules = yaml.safe_load((OPERATE / "alerts.yml").read_text())
    found = [rule["expr"] for group in rules["groups"] for rule in group["rules"]]
    panels = json.loads((OPERATE / "dashboard.json").read_text())["panels"]
    return found + [target["expr"] for panel in panels for target in panel["targets"]]


def test_rules_and_dashboard_name_what_is_told_by_labels_that_it_has() -> None:
    told = labels_by_name()
    asked = re.findall(r"\b((?:proofsheet|process)_\w+)(?:\{([^}]*)\})?", " ".join(queries()))
    assert len({name for name, _ in asked}) > 25
    for name, matchers in asked:
        assert name in told, name
        assert set(re.findall(r"(\w+)=", matchers)) <= told[name] | OF_PROMETHEUS, (name, matchers)


def test_page_names_what_is_told() -> None:
    told = labels_by_name()
    table = PAGE.partition("| where | what")[2].partition("\n\n")[0]
    named = [word for word in re.findall(r"`(\w+)`", table) if "_" in word]
    assert len(named) > 25
    assert [word for word in named if f"proofsheet_{word}" not in told] == []


def test_page_names_the_ports_of_each_kind() -> None:
    rows = dict(re.findall(r"^\| (\w+)[^|]* \| (\d+–\d+) \|$", PAGE, flags=re.MULTILINE))
    assert rows == {
        kind: f"{9300 + ports[0]}–{9300 + ports[-1]}" for kind, ports in own_port.PORTS.items()
    }


def test_no_metric_has_a_label_of_a_person() -> None:
    labels = set[str]().union(*labels_by_name().values())
    assert not labels & {"user", "owner", "email", "end_user", "prompt", "address", "path", "key"}


@needs_promtool
def test_names_and_units_are_those_that_prometheus_asks_for() -> None:
    for registry in (REGISTRY, HOUSE):
        done = subprocess.run(
            [PROMTOOL, "check", "metrics"],
            input=generate_latest(registry), capture_output=True, check=False,
        )  # fmt: skip
        said = done.stderr.decode() + done.stdout.decode()
        assert not [line for line in said.splitlines() if line.startswith("proofsheet_")]


def commands() -> list[str]:
    fences = re.findall(r"^```\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
    return [line for fence in fences for line in fence.splitlines()]


@needs_promtool
@pytest.mark.parametrize("command", [each for each in commands() if each.startswith("promtool")])
def test_rules_do_what_the_page_says(command: str) -> None:
    words = [PROMTOOL, *shlex.split(command)[1:]]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("curl"), reason="there is no curl here")
@pytest.mark.django_db(transaction=True)
def test_addresses_answer_as_the_page_asks_them(live_server: Any, settings: Settings) -> None:
    settings.PROOFSHEET_METRICS_PORT = free_port()
    settings.METRICS_TOKEN = "a-long-token"
    port = own_port.open_for("web", list)
    asked = [each for each in commands() if each.startswith("curl")]
    assert len(asked) == 4
    for command in asked:
        there = command.replace(":9300", f":{port}").replace(
            "https://images.example", live_server.url
        )
        done = subprocess.run(
            ["sh", "-c", there], capture_output=True, text=True, check=False,
            env=os.environ | {"METRICS_TOKEN": "a-long-token"},
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert done.stdout


def test_every_command_of_the_page_is_run() -> None:
    assert {each.split()[0] for each in commands()} == {"curl", "promtool"}


def test_kinds_have_ports_of_their_own(settings: Settings) -> None:
    taken = [port for ports in own_port.PORTS.values() for port in ports]
    assert len(taken) == len(set(taken))
    settings.PROOFSHEET_METRICS_PORT = 0
    assert own_port.open_for("web", list) is None


def test_two_processes_of_a_host_take_two_ports(settings: Settings) -> None:
    settings.PROOFSHEET_METRICS_PORT = free_port()
    first, second = own_port.open_for("cpu", list), own_port.open_for("cpu", list)
    assert first is not None
    assert second is not None
    assert first != second
