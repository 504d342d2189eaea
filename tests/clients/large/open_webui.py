"""A real Open WebUI, set as its page says, makes and edits pictures by its own addresses."""

from __future__ import annotations

import io
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from config.launch.child_processes import free_port
from tests.clients import calls, install
from tests.clients.conftest import PATIENCE_S, REFUSED, ClientHouse, get
from tests.clients.test_pages import variables
from tests.qr_codes import scanned

pytestmark = pytest.mark.clients
ALONE = {  # without models or accounts, and nothing is asked of the world
    "WEBUI_AUTH": "False",
    "WEBUI_SECRET_KEY": "of the test",
    "OFFLINE_MODE": "True",
    "ENABLE_OLLAMA_API": "false",
    "ENABLE_OPENAI_API": "false",
    "RAG_EMBEDDING_ENGINE": "openai",
}


@contextmanager
def running(said: dict[str, str], place: Path) -> Iterator[httpx.Client]:
    """Its pages' own client, signed in; its data lie in `place`."""
    program, port = install.open_webui(), free_port()
    path = f"{program.parent}:/usr/bin:/bin"
    environment = ALONE | said | {"PATH": path, "HOME": str(place), "DATA_DIR": str(place)}
    with open(place / "log", "wb") as log:
        server = subprocess.Popen(
            [program, "serve", "--host", "127.0.0.1", "--port", str(port)],
            cwd=place,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE_S) as page:
            page.headers["Authorization"] = f"Bearer {_token(server, page, place / 'log')}"
            yield page
    finally:
        server.terminate()
        server.wait(timeout=PATIENCE_S)


def _token(server: subprocess.Popen[bytes], page: httpx.Client, log: Path) -> str:
    """Once it answers."""
    while server.poll() is None:
        with suppress(httpx.TransportError):
            nobody = {"email": "", "password": ""}
            return str(page.post("/api/v1/auths/signin", json=nobody).json()["token"])
        time.sleep(0.5)
    raise AssertionError("Open WebUI did not start: " + log.read_text()[-2000:])


@pytest.fixture(scope="session")
def page(house: ClientHouse, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with running(variables("open-webui.md", house), tmp_path_factory.mktemp("web_ui")) as opened:
        yield opened


def ask(page: httpx.Client, call: str, **said: Any) -> httpx.Response:
    """`generations` or `edit`, as its chat asks."""
    calls.count("Open WebUI")
    return page.post(f"/api/v1/images/{call}", json=said)


def shown(page: httpx.Client, answer: httpx.Response) -> list[Image.Image]:
    """What it puts into the chat."""
    assert answer.status_code == 200, answer.text
    files = [page.get(each["url"]).content for each in answer.json()]
    return [Image.open(io.BytesIO(data)) for data in files]


def test_it_makes_a_picture(page: httpx.Client) -> None:
    [picture] = shown(page, ask(page, "generations", prompt="a red apple"))
    assert (picture.format, picture.size) == ("PNG", (512, 512))


def test_it_makes_two(page: httpx.Client) -> None:
    assert len(shown(page, ask(page, "generations", prompt="a cat", n=2))) == 2


def test_it_edits_a_picture(page: httpx.Client, png: str) -> None:
    image = f"data:image/png;base64,{png}"
    [picture] = shown(page, ask(page, "edit", prompt="a green pear", image=image))
    assert picture.size == (512, 512)


def test_two_pictures_to_start_from_are_refused(page: httpx.Client, png: str) -> None:
    """It shows the reason phrase alone."""
    image = f"data:image/png;base64,{png}"
    told = ask(page, "edit", prompt="a green pear", image=[image, image])
    assert (told.status_code, told.json()["detail"]) == (400, "[ERROR: Bad Request]")


def test_a_card_shows_the_reason_and_a_working_appeal(
    house: ClientHouse, page: httpx.Client
) -> None:
    """The key is changed as its administrator changes it."""
    told = ask(page, "generations", prompt=REFUSED)
    assert (told.status_code, told.json()["detail"]) == (400, "[ERROR: Bad Request]")
    settings = page.get("/api/v1/images/config").json()
    with_cards = settings | {"IMAGES_OPENAI_API_KEY": house.keys["card"]}
    assert page.post("/api/v1/images/config/update", json=with_cards).status_code == 200
    [card] = shown(page, ask(page, "generations", prompt=REFUSED))
    address = scanned(card)
    assert address.startswith(f"{house.url}/r/")
    assert get(address).status_code == 200
