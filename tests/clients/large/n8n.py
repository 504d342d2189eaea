"""A real n8n: its OpenAI node makes a picture in a workflow that its page shows."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.clients import calls, install
from tests.clients.conftest import REFUSED, ClientHouse, appeal_in, get
from tests.clients.test_pages import PAGES, blocks

pytestmark = pytest.mark.clients
ALONE = {
    "N8N_DIAGNOSTICS_ENABLED": "false",
    "N8N_VERSION_NOTIFICATIONS_ENABLED": "false",
    "N8N_ENCRYPTION_KEY": "of the test",
}
CREDENTIAL = {"openAiApi": {"id": "house", "name": "house"}}


class N8n:
    """Its command line, with all that it keeps in `place`."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def run(self, *words: str | Path) -> str:
        """What it prints, errors included."""
        node, program = install.node(), install.n8n()
        environment = ALONE | {"PATH": f"{node.parent}:/usr/bin:/bin", "HOME": str(self.place)}
        command = [node, program, *words]
        return subprocess.run(
            command, cwd=self.place, env=environment, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        ).stdout  # fmt: skip

    def take(self, what: str, value: Any) -> None:
        """Import `credentials` or `workflow`."""
        file = self.place / f"{what}.json"
        file.write_text(json.dumps(value))
        told = self.run(f"import:{what}", f"--input={file}")
        assert "Successfully imported" in told, told[-2000:]

    def executed(self, workflow: str) -> dict[str, Any]:
        """What became of its node."""
        calls.count("n8n")
        printed = self.run("execute", "--id", workflow, "--rawOutput")
        run, _ = json.JSONDecoder().raw_decode(printed, printed.index("\n{") + 1)
        [made] = run["data"]["resultData"]["runData"]["Generate an image"]
        found: dict[str, Any] = made
        return found


@pytest.fixture(scope="session")
def n8n(house: ClientHouse, tmp_path_factory: pytest.TempPathFactory) -> N8n:
    """With the credential and the workflow of its page, and one whose prompt is refused."""
    started = N8n(tmp_path_factory.mktemp("n8n"))
    text = (PAGES / "n8n.md").read_text().replace("http://127.0.0.1:8000", house.url)
    address = text.split("*Base URL* `")[1].split("`")[0]
    data = {"apiKey": house.keys["alice"], "url": address, "header": False}
    started.take(
        "credentials", [{"id": "house", "name": "house", "type": "openAiApi", "data": data}]
    )
    [shown] = blocks("n8n.md", "json", house)
    workflows = [_workflow(shown, "good"), _workflow(shown.replace("a red apple", REFUSED), "bad")]
    started.take("workflow", workflows)
    return started


def _workflow(text: str, name: str) -> dict[str, Any]:
    pasted: dict[str, Any] = json.loads(text)
    pasted["nodes"][1]["credentials"] = CREDENTIAL
    return pasted | {"id": name, "name": name, "active": False, "settings": {}}


def test_its_node_makes_a_picture(n8n: N8n) -> None:
    made = n8n.executed("good")
    assert made["executionStatus"] == "success", made
    [[item]] = made["data"]["main"]
    assert item["binary"]["data"]["mimeType"] == "image/png"
    name = item["binary"]["data"]["id"].partition(":")[2]
    [file] = n8n.place.rglob(name)
    assert Image.open(file).size == (512, 512)


def test_a_refusal_ends_its_node_with_reason_and_a_working_appeal(
    n8n: N8n, house: ClientHouse
) -> None:
    error = n8n.executed("bad")["error"]
    assert "nudity" in error["description"]
    address = appeal_in(error["description"])
    assert address.startswith(house.url)
    assert get(address).status_code == 200
