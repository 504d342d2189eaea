"""What the pages say to copy is run as it stands, with this house's address and key."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.clients import install
from tests.clients.conftest import REFUSED, ClientHouse

pytestmark = pytest.mark.clients
PAGES = install.ROOT / "docs" / "integrate"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks(page: str, language: str, house: ClientHouse) -> list[str]:
    """The page's pieces in that language, for this house."""
    found = [text for kind, text in BLOCK.findall((PAGES / page).read_text()) if kind == language]
    assert found, f"{page} shows nothing in {language}"
    here = (("http://127.0.0.1:8000", house.url), ("ps_key_…", house.keys["alice"]))
    for said, meant in here:
        found = [text.replace(said, meant) for text in found]
    return found


def run(command: list[str | Path], text: str, folder: Path) -> str:
    """What it prints; it must end well."""
    done = subprocess.run(command, input=text, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_the_page_of_our_own_client_does_what_it_says(house: ClientHouse, tmp_path: Path) -> None:
    first, *rest = blocks("python-client.md", "python", house)
    told = run([install.python("own"), "-"], first, tmp_path)
    assert (tmp_path / "apple.png").read_bytes().startswith(b"\x89PNG")
    opening = first.split("\n    made", 1)[0] + "\n    pass\n"
    connected = opening.replace("with ", "house = ").replace(" as house:\n    pass", "")
    told = run([install.python("own"), "-"], "\n".join([connected, *rest]), tmp_path)
    assert "/r/" in told
    assert "found_good" in told


def test_the_command_line_of_the_page_does_what_it_says(house: ClientHouse, tmp_path: Path) -> None:
    [text] = blocks("python-client.md", "sh", house)
    place = f"export PATH={install.python('own').parent}:$PATH\nset -e\n"
    assert "watermark" in run(["bash", "-"], place + text, tmp_path)
    assert (tmp_path / "apple.png").exists()


def test_the_page_of_tools_does_what_it_says(house: ClientHouse, tmp_path: Path) -> None:
    [setting] = blocks("mcp.md", "json", house)
    server = json.loads(setting)["mcpServers"]["proofsheet"]
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    answer = httpx.post(
        server["url"],
        headers=server["headers"] | {"Accept": "application/json, text/event-stream"},
        json=asked,
        timeout=60,
    )
    assert "generate_image" in answer.text
    [text] = blocks("mcp.md", "python", house)
    assert f"{house.url}/api/v1/images/" in run([install.python("today"), "-"], text, tmp_path)


@pytest.mark.parametrize(
    ("page", "environment"),
    [("openai-python.md", "today"), ("openai-python.md", "old"), ("litellm.md", "litellm")],
)
def test_a_page_in_python_makes_its_picture_and_shows_a_refusal(
    page: str, environment: str, house: ClientHouse, tmp_path: Path
) -> None:
    [text] = blocks(page, "python", house)
    run([install.python(environment), "-"], text, tmp_path)
    assert (tmp_path / "apple.png").read_bytes().startswith(b"\x89PNG")
    told = run([install.python(environment), "-"], text.replace("a red apple", REFUSED), tmp_path)
    assert "/r/" in told


@pytest.mark.parametrize("page", ["openai-python.md", "ai-sdk.md"])
def test_a_page_for_node_makes_its_picture_and_shows_a_refusal(
    page: str, house: ClientHouse
) -> None:
    [text] = blocks(page, "js", house)
    (install.NODE / "apple.png").unlink(missing_ok=True)
    node: list[str | Path] = [install.node(), "--input-type=module", "-"]
    run(node, text, install.NODE)
    assert (install.NODE / "apple.png").read_bytes().startswith(b"\x89PNG")
    assert "/r/" in run(node, text.replace("a red apple", REFUSED), install.NODE)
