"""docs/operate/install.md: what it has an operator type names what is there."""

from __future__ import annotations

import re
import shlex

from config.launch.embedded_servers import ROOT
from tests.deploy.test_chart import EXAMPLE
from tests.deploy.test_compose import COMPOSE

PAGE = (ROOT / "docs" / "operate" / "install.md").read_text()
FENCES = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LINES = [
    shlex.split(line) for fence in FENCES if "<<EOF" not in fence for line in fence.splitlines()
]


def lines(*words: str) -> list[list[str]]:
    return [line for line in LINES if line[: len(words)] == list(words)]


def test_every_line_is_of_a_program_that_the_page_speaks_of() -> None:
    assert {line[0] for line in LINES} == {"docker", "kubectl", "helm"}


def test_builds_name_targets_and_arguments_of_the_containerfile() -> None:
    text = (ROOT / "Containerfile").read_text()
    built = lines("docker", "build")
    assert len(built) == len(set(EXAMPLE["images"]))
    for line in built:
        said = dict(zip(line[2:-1:2], line[3::2], strict=False))
        assert (ROOT / said["--file"]).exists()
        assert f" AS {said['--target']}\n" in text
        assert said["--tag"] in EXAMPLE["images"].values()
        if argument := said.get("--build-arg"):
            assert f"\nARG {argument.partition('=')[0]}=" in text
            assert (ROOT / f"requirements-{argument.partition('=')[2]}.lock").exists()


def test_compose_lines_name_services() -> None:
    """`run` starts one more, which cannot have the address that the first one has."""
    for line in lines("docker", "compose", "run"):
        assert line[4] in COMPOSE["services"]
        assert "ipv4_address" not in str(COMPOSE["services"][line[4]].get("networks"))
    for line in lines("docker", "compose", "exec"):
        assert line[3] in COMPOSE["services"]


def test_chart_and_its_secrets_are_those_of_the_values() -> None:
    [helm] = lines("helm")
    assert (ROOT / helm[4] / "Chart.yaml").exists()
    assert (ROOT / helm[6]).exists()
    named = [line[4] for line in lines("kubectl", "create", "secret")]
    assert named == ["proofsheet", EXAMPLE["ownerSecret"]]
    for line in lines("kubectl", "exec"):
        assert line[2] == f"deploy/{helm[3]}-web"
