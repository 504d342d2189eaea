"""What the pages say to copy is run as it stands, with this house's address and key."""

from __future__ import annotations

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import yaml

from tests.clients import install
from tests.clients.conftest import REFUSED, ClientHouse, get
from tests.clients.signing import signed

pytestmark = pytest.mark.clients
PAGES = install.ROOT / "docs" / "integrate"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
CURL = re.compile(r"^curl (?:.*\\\n)*.*$", re.MULTILINE)


def blocks(page: str, language: str, house: ClientHouse, person: str = "alice") -> list[str]:
    """The page's pieces in that language, for this house."""
    found = [text for kind, text in BLOCK.findall((PAGES / page).read_text()) if kind == language]
    assert found, f"{page} shows nothing in {language}"
    here = {
        "http://127.0.0.1:8000": house.url,
        "https://HOST": house.url,
        "port=8000": f"port={urlsplit(house.url).port}",
        "ps_key_…": house.keys[person],
        "/projects/PROJECT/": f"/projects/{house.product}/",
    }
    for said, meant in here.items():
        found = [text.replace(said, meant) for text in found]
    return found


def variables(page: str, house: ClientHouse) -> dict[str, str]:
    """Of a page's only block of them."""
    [text] = blocks(page, "sh", house)
    return dict(line.split("=", 1) for line in text.splitlines())


def models_at(address: str, key: str) -> set[str]:
    """What a client that is given these two finds."""
    told = get(f"{address}/models", headers={"Authorization": f"Bearer {key}"})
    assert told.status_code == 200, told.text
    return {each["id"] for each in told.json()["data"]}


def by_curl(command: str, folder: Path) -> Any:
    """What the house answers to a command of a page."""
    return json.loads(run(["bash", "-"], command.replace("curl ", "curl -sS -f ", 1), folder))


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
        timeout=300,
    )
    assert "generate_image" in answer.text
    [text] = blocks("mcp.md", "python", house)
    assert f"{house.url}/api/v1/images/" in run([install.python("today"), "-"], text, tmp_path)


@pytest.mark.parametrize(
    ("page", "environment"),
    [("openai-python.md", "today"), ("openai-python.md", "old")],
)
def test_a_page_in_python_makes_its_picture_and_shows_a_refusal(
    page: str, environment: str, house: ClientHouse, tmp_path: Path
) -> None:
    [text] = blocks(page, "python", house)
    both = f"{text}\n{text.replace('a red apple', REFUSED)}"
    told = run([install.python(environment), "-"], both, tmp_path)
    assert (tmp_path / "apple.png").read_bytes().startswith(b"\x89PNG")
    assert "/r/" in told


def test_the_page_of_litellm_as_a_library_and_as_a_proxy(
    house: ClientHouse, tmp_path: Path
) -> None:
    """In one process, as it takes long to be imported; the proxy by the router that it makes of its
    file."""
    [text] = blocks("litellm.md", "python", house)
    [configuration] = blocks("litellm.md", "yaml", house)
    models = yaml.safe_load(configuration)["model_list"]
    program = (
        f"{text}\n{text.replace('a red apple', REFUSED)}\n"
        f"router = litellm.Router(model_list={models!r})\n"
        "made = router.image_generation(model='pictures', prompt='a red apple', quality='low')\n"
        "assert made.data[0].b64_json\n"
    )
    told = run([install.python("litellm"), "-"], program, tmp_path)
    assert (tmp_path / "apple.png").read_bytes().startswith(b"\x89PNG")
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


def test_the_pages_of_interfaces_make_their_pictures(house: ClientHouse, tmp_path: Path) -> None:
    [text] = blocks("openai.md", "python", house)
    run([install.python("today"), "-"], f"{text}\nassert answer.data[0].b64_json", tmp_path)
    [text] = blocks("a1111.md", "python", house)
    text = text.replace(" <lora:NAME:0.8>", "")  # no adapter is published here
    run([install.python("today"), "-"], f"{text}\nassert picture.size == (512, 512)", tmp_path)


@pytest.mark.parametrize(
    ("page", "address", "key", "model"),
    [
        (
            "open-webui.md",
            "IMAGES_OPENAI_API_BASE_URL",
            "IMAGES_OPENAI_API_KEY",
            "IMAGE_GENERATION_MODEL",
        ),
        (
            "librechat.md",
            "IMAGE_GEN_OAI_BASEURL",
            "IMAGE_GEN_OAI_API_KEY",
            "IMAGE_GEN_OAI_MODEL",
        ),
    ],
)
def test_variables_lead_to_the_house_and_a_model_of_it(
    page: str, address: str, key: str, model: str, house: ClientHouse
) -> None:
    said = variables(page, house)
    assert said[model] in models_at(said[address], said[key])
    asked = {"model": said[model], "prompt": "a red apple", "quality": "low"}
    headers = {"Authorization": f"Bearer {said[key]}"}
    url = f"{said[address]}/images/generations"
    assert httpx.post(url, json=asked, headers=headers, timeout=300).status_code == 200


def test_n8n_would_list_models_of_the_address(house: ClientHouse) -> None:
    text = (PAGES / "n8n.md").read_text().replace("http://127.0.0.1:8000", house.url)
    [address] = re.findall(r"`(http://\S+)`", text)
    found = models_at(address, house.keys["alice"])
    assert any("gpt-image" in name or "dall-e" in name for name in found)


def test_sillytavern_connects_by_what_its_page_says(house: ClientHouse, tavern: Any) -> None:
    [text] = blocks("sillytavern.md", "text", house)
    url, auth = text.split()
    said = {"url": url, "auth": auth}
    assert tavern.page.post("/api/sd/ping", json=said).status_code == 200
    other = said | {"auth": f"{auth}x"}
    assert tavern.page.post("/api/sd/ping", json=other).status_code == 500


def test_the_page_of_webhooks_verifies_in_node(house: ClientHouse) -> None:
    [text] = blocks("webhooks.md", "js", house)
    body = '{"type":"appeal.decided"}'
    secret, headers = signed(body, at=datetime.now(UTC))
    good = f"receive({json.dumps(secret)}, {json.dumps(headers)}, {json.dumps(body)})"
    program = f"{text}\nconsole.log({good}.type);\n"
    node: list[str | Path] = [install.node(), "--input-type=module", "-"]
    assert run(node, program, install.NODE) == "appeal.decided\n"
    forged = good.replace("decided", "Decided")
    assert "thrown" in run(
        node, f"{text}\ntry {{ {forged} }} catch {{ console.log('thrown') }}", install.NODE
    )


def test_the_commands_of_a_product_do_what_their_pages_say(
    house: ClientHouse, tmp_path: Path
) -> None:
    def commands(page: str) -> list[str]:
        return CURL.findall("\n".join(blocks(page, "", house, person="product")))

    [submit] = commands("README.md")
    assert by_curl(submit, tmp_path)["status"] in ("submitted", "queued")
    make, *_ = commands("projects.md")
    assert by_curl(make, tmp_path)["name"] == "Shop"
    [hear] = commands("webhooks.md")
    assert by_curl(hear, tmp_path)["secret"].startswith("whsec_")

    key = {"Authorization": f"Bearer {house.keys['product']}"}
    asked = {"model": "starter", "prompt": REFUSED, "user": "pat@shop.example"}
    url = f"{house.url}/v1/images/generations"
    assert httpx.post(url, json=asked, headers=key, timeout=300).status_code == 400
    refused = get(f"{house.url}/api/v1/generations/", headers=key).json()["results"][0]
    statement = get(f"{house.url}/api/v1/statements/", headers=key).json()["results"][0]
    ids = {"/generations/ID/": refused["id"], "/statements/ID/": statement["id"]}
    told = []
    for command in commands("notices.md"):
        for said, meant in ids.items():
            command = command.replace(said, said.replace("ID", str(meant)))
        told.append(by_curl(command, tmp_path))
    request, notice, appeal = told
    assert "/r/" in request["refusal"]["statement_url"]
    assert notice["statement"]
    assert appeal["appeal"]["status"] == "lodged"
