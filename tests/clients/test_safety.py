"""Holds, cards, advice and end users, as openai-python and openai-node meet them."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.clients.conftest import HELD, REFUSED, Client, ClientHouse, appeal_in, get, pictures
from tests.qr_codes import scanned

pytestmark = pytest.mark.clients
MODEL = "starter"
SDKS = ("openai-python", "openai-python 1.x", "openai-node")
EVERY = (*SDKS, "AI SDK", "LiteLLM")


@pytest.mark.parametrize("name", EVERY)
def test_a_hold_is_no_refusal_and_says_where_its_outcome_will_be(client: Client, name: str) -> None:
    told = client(name)("generate", model=MODEL, prompt=HELD)
    assert (told["ok"], told["status"]) == (False, 400)
    if name != "LiteLLM":  # it drops the members beside the message
        assert told["body"]["code"] == "moderation_held"
    assert "not refused" in told["shown"]
    page = get(appeal_in(told["shown"]))
    assert page.status_code == 200
    assert HELD not in page.text


@pytest.mark.parametrize("name", SDKS)
@pytest.mark.parametrize(
    ("prompt", "code"), [(REFUSED, "moderation_blocked"), (HELD, "moderation_held")]
)
def test_a_key_of_cards_gets_a_picture_that_says_it(
    client: Client, name: str, prompt: str, code: str
) -> None:
    made = client(name, person="card")("generate", model=MODEL, prompt=prompt)
    [card] = pictures(made)
    assert (card.format, card.size) == ("PNG", (512, 512))
    [item] = made["data"]
    assert item["code"] == code
    assert get(appeal_in(item["message"])).status_code == 200
    assert scanned(card) == appeal_in(item["message"])
    assert made["usage"]["output_tokens"] == 0


def test_the_address_of_a_card_opens_without_a_key(client: Client) -> None:
    said = {"model": MODEL, "prompt": REFUSED, "response_format": "url"}
    [item] = client("openai-python", person="card")("generate", **said)["data"]
    assert Image.open(io.BytesIO(get(item["url"]).content)).format == "PNG"


@pytest.mark.parametrize("name", SDKS)
def test_advice_has_a_result_for_each_text(client: Client, name: str) -> None:
    told = client(name)("moderate", input=["a red apple", REFUSED])
    assert told["ok"], told
    assert [each["flagged"] for each in told["results"]] == [False, True]
    assert told["results"][1]["categories"]["sexual"]
    assert not told["results"][1]["categories"]["sexual/minors"]


@pytest.mark.parametrize("name", SDKS)
def test_advice_reads_a_picture_beside_its_text(client: Client, name: str, png: str) -> None:
    parts: list[dict[str, Any]] = [
        {"type": "text", "text": "a red apple"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{png}"}},
    ]
    told = client(name)("moderate", input=parts)
    assert told["ok"], told
    [result] = told["results"]
    assert not result["flagged"]
    assert result["category_applied_input_types"]["sexual"] == ["text", "image"]


@pytest.mark.parametrize("name", ["openai-python", "openai-node"])
def test_each_end_user_of_a_product_has_limits_of_their_own(
    client: Client, name: str, house: ClientHouse
) -> None:
    product = client(name, person="product")
    kim, lee = f"kim@{name}.example", f"lee@{name}.example"
    said = {"model": MODEL, "prompt": "a red apple", "quality": "low"}
    made = product("generate", **said, safety_identifier=kim)
    assert made["ok"], made
    assert made["safety_identifier"] == kim
    told = product("generate", **said | {"prompt": "a pear"}, user=kim)
    assert (told["ok"], told["status"]) == (False, 429)
    assert told["body"]["code"] == "insufficient_quota"
    assert told["body"]["reason"] == "end_user_quota_used_up"
    assert product("generate", **said, safety_identifier=lee)["ok"]

    rows = f"{house.url}/api/v1/projects/{house.product}/end-users/"
    key = {"Authorization": f"Bearer {house.keys['product']}"}
    listed = get(rows, headers=key, params={"end_user": kim})
    assert len(listed.json()["results"]) == 1, listed.text
    everybody = get(rows, headers=key).text
    assert kim not in everybody
    assert lee not in everybody


def test_whom_a_refusal_concerns_is_one_persons_matter(client: Client, house: ClientHouse) -> None:
    product = client("openai-python", person="product")
    told = product("generate", model=MODEL, prompt=REFUSED, safety_identifier="mo@shop.example")
    page = get(appeal_in(told["shown"]))
    assert page.status_code == 200
    assert "mo@shop.example" not in page.text
    again = {"model": MODEL, "prompt": "a red apple", "quality": "low"}
    assert product("generate", **again, safety_identifier="nia@shop.example")["ok"]
