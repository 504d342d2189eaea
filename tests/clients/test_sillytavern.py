"""A real SillyTavern server calls `/sdapi/v1/`. It shows pictures, and nothing of a text."""

from __future__ import annotations

import base64
import io

import httpx
import pytest
from PIL import Image

from tests.clients.conftest import HELD, REFUSED, ClientHouse, get
from tests.clients.sillytavern import SillyTavern
from tests.qr_codes import scanned

pytestmark = pytest.mark.clients


def shown(answer: httpx.Response) -> Image.Image:
    """What its page puts into the chat."""
    assert answer.status_code == 200, answer.text
    return Image.open(io.BytesIO(base64.b64decode(answer.json()["images"][0])))


def test_it_connects(tavern: SillyTavern, house: ClientHouse) -> None:
    key = house.keys["alice"]
    assert tavern.ask("ping", key=key).status_code == 200
    assert tavern.ask("ping", key=house.keys["gone"]).status_code == 500


def test_its_lists_are_answered(tavern: SillyTavern, house: ClientHouse) -> None:
    key = house.keys["alice"]
    lists = {
        name: tavern.ask(name, key=key)
        for name in ("models", "samplers", "schedulers", "upscalers", "vaes")
    }
    assert {name: said.status_code for name, said in lists.items()} == dict.fromkeys(lists, 200)
    [model, *_] = lists["models"].json()
    assert model["text"]
    assert lists["samplers"].json()
    assert lists["schedulers"].json()


def test_a_model_is_chosen(tavern: SillyTavern, house: ClientHouse) -> None:
    key = house.keys["alice"]
    title = tavern.ask("models", key=key).json()[0]["value"]
    assert tavern.ask("set-model", key=key, model=title).status_code == 200
    assert tavern.ask("get-model", key=key).text == title


def test_a_picture_comes_by_the_settings_of_its_page(
    tavern: SillyTavern, house: ClientHouse
) -> None:
    picture = shown(tavern.generate("a red apple", key=house.keys["alice"], seed=7))
    assert (picture.format, picture.size) == ("PNG", (512, 512))


@pytest.mark.parametrize("prompt", [REFUSED, HELD])
def test_a_card_shows_the_reason_and_a_working_appeal(
    tavern: SillyTavern, house: ClientHouse, prompt: str
) -> None:
    address = scanned(shown(tavern.generate(prompt, key=house.keys["card"])))
    assert address.startswith(f"{house.url}/r/")
    assert get(address).status_code == 200


def test_it_shows_no_text_of_a_refusal_so_its_key_takes_cards(
    tavern: SillyTavern, house: ClientHouse
) -> None:
    told = tavern.generate(REFUSED, key=house.keys["alice"])
    assert (told.status_code, told.text) == (500, "Internal Server Error")
