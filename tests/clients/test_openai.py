"""openai-python at its newest and as a 1.x, openai-node, the AI SDK and LiteLLM call `/v1/`."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.clients.conftest import REFUSED, Client, ClientHouse, appeal_in, get, pictures

pytestmark = pytest.mark.clients
MODEL = "starter"
EVERY = ("openai-python", "openai-python 1.x", "openai-node", "AI SDK", "LiteLLM")
SDKS = EVERY[:3]


def quick(name: str) -> dict[str, Any]:
    """A few steps, in each client's own words."""
    said = {"quality": "low"}
    return {"providerOptions": {"proofsheet": said}} if name == "AI SDK" else said


@pytest.mark.parametrize("name", EVERY)
def test_a_picture_comes(client: Client, name: str) -> None:
    [picture] = pictures(client(name)("generate", model=MODEL, prompt="a red apple"))
    assert picture.format == "PNG"


@pytest.mark.parametrize("name", EVERY)
def test_a_refusal_shows_reason_and_a_working_appeal(
    client: Client, name: str, house: ClientHouse
) -> None:
    told = client(name)("generate", model=MODEL, prompt=REFUSED)
    assert told["ok"] is False
    assert told["status"] == 400
    assert "nudity" in told["shown"]
    address = appeal_in(told["shown"])
    assert address.startswith(house.url)
    page = get(address)
    assert page.status_code == 200
    assert "appeal" in page.text.lower()


@pytest.mark.parametrize("name", ["openai-python", "openai-python 1.x", "openai-node", "AI SDK"])
def test_a_refusal_has_the_same_for_programs(client: Client, name: str) -> None:
    body = client(name)("generate", model=MODEL, prompt=REFUSED)["body"]
    assert body["code"] == "moderation_blocked"
    assert body["moderation_details"]["moderation_stage"] == "input"
    assert body["appeal_url"].startswith(body["statement_url"])


@pytest.mark.parametrize("name", EVERY)
def test_a_refused_edit_says_so_too(client: Client, name: str, png: str) -> None:
    call = "generate" if name == "AI SDK" else "edit"
    told = client(name)(call, model=MODEL, prompt=REFUSED, pictures=[png])
    assert told["ok"] is False
    assert "intimate images of a real person" in told["shown"]  # whoever the picture shows
    assert get(appeal_in(told["shown"])).status_code == 200


def test_litellm_raises_its_error_of_policies(client: Client) -> None:
    told = client("LiteLLM")("generate", model=MODEL, prompt=REFUSED)
    assert told["kind"] == "ContentPolicyViolationError"


@pytest.mark.parametrize("name", EVERY)
def test_a_size_of_auto_is_the_models_own(client: Client, name: str) -> None:
    said = {} if name == "AI SDK" else {"size": "auto"}  # its type has no such size
    asked = {"model": MODEL, "prompt": "a cat"} | said | quick(name)
    [picture] = pictures(client(name)("generate", **asked))
    assert picture.size == (512, 512)


@pytest.mark.parametrize("name", SDKS)
def test_a_picture_is_edited(client: Client, name: str, png: str) -> None:
    made = client(name)("edit", model=MODEL, prompt="a red apple", pictures=[png], **quick(name))
    assert len(pictures(made)) == 1


def test_the_ai_sdk_edits(client: Client, png: str) -> None:
    made = client("AI SDK")("generate", model=MODEL, prompt="a red apple", pictures=[png])
    assert len(pictures(made)) == 1


def test_litellm_edits(client: Client, png: str) -> None:
    made = client("LiteLLM")("edit", model=MODEL, prompt="a red apple", pictures=[png])
    assert len(pictures(made)) == 1


@pytest.mark.parametrize("name", EVERY)
def test_a_mask_lets_only_what_is_transparent_change(client: Client, name: str, png: str) -> None:
    call = "generate" if name == "AI SDK" else "edit"
    said = {"model": MODEL, "prompt": "a green pear", "pictures": [png], "mask": half_mask()}
    [made] = pictures(client(name)(call, **said))
    before, after = (
        np.asarray(image.convert("RGB"), np.int16)
        for image in (Image.open(io.BytesIO(base64.b64decode(png))), made)
    )
    change = np.abs(after - before).mean(axis=(1, 2))
    assert change[256:].max() < 4  # no more than a second watermark
    assert change[:256].mean() > 4


def half_mask() -> str:
    """The upper half transparent, of the size that the house draws."""
    alpha = np.full((512, 512), 255, np.uint8)
    alpha[:256] = 0
    out = io.BytesIO()
    Image.fromarray(np.dstack([np.zeros((512, 512, 3), np.uint8), alpha])).save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("name", EVERY)
def test_several_pictures_come(client: Client, name: str) -> None:
    made = client(name)("generate", model=MODEL, prompt="a cat", n=2, **quick(name))
    assert len(pictures(made)) == 2


@pytest.mark.parametrize("name", ["openai-python", "openai-node"])
def test_a_stream_ends_with_the_picture(client: Client, name: str) -> None:
    told = client(name)("stream", model=MODEL, prompt="a cat", partial_images=1)
    assert told["ok"], told
    kinds = [event["type"] for event in told["events"]]
    assert kinds[-1] == "image_generation.completed"
    assert set(kinds[:-1]) <= {"image_generation.partial_image"}


@pytest.mark.parametrize("name", ["openai-python", "openai-node"])
def test_a_refused_stream_raises_with_its_appeal(client: Client, name: str) -> None:
    told = client(name)("stream", model=MODEL, prompt=REFUSED)
    assert told["ok"] is False
    assert "nudity" in told["shown"]
    assert get(appeal_in(told["shown"])).status_code == 200


@pytest.mark.parametrize("name", SDKS)
def test_an_address_opens_the_picture_without_a_key(client: Client, name: str) -> None:
    said = {"model": MODEL, "prompt": "a cat", "response_format": "url"} | quick(name)
    told = client(name)("generate", **said)
    assert told["ok"], told
    assert get(told["data"][0]["url"]).content.startswith(b"\x89PNG")


@pytest.mark.parametrize("name", SDKS)
def test_models_are_listed(client: Client, name: str) -> None:
    assert MODEL in client(name)("models")["ids"]


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize(
    ("said", "part"),
    [({"model": "no-such-model"}, "no-such-model"), ({"size": "17x17"}, "17")],
)
def test_what_is_not_there_is_named(
    client: Client, name: str, said: dict[str, str], part: str
) -> None:
    told = client(name)("generate", **{"model": MODEL, "prompt": "a cat"} | said)
    assert told["ok"] is False
    assert part in told["shown"]


@pytest.mark.parametrize("name", ["openai-python", "openai-node", "LiteLLM"])
def test_a_used_up_quota_is_told_at_once(client: Client, name: str) -> None:
    sparing = client(name, person=f"sparing {name}")
    assert sparing("generate", model=MODEL, prompt="a cat", quality="low")["ok"]
    told = sparing("generate", model=MODEL, prompt="a pear", quality="low")
    assert (told["ok"], told["status"]) == (False, 429)
    assert "used" in told["shown"]


@pytest.mark.parametrize("name", EVERY)
def test_a_revoked_key_is_told(client: Client, name: str) -> None:
    told = client(name, person="gone")("generate", model=MODEL, prompt="a cat")
    assert (told["ok"], told["status"]) == (False, 401)


def test_our_own_members_reach_the_model(client: Client) -> None:
    said = {"model": MODEL, "prompt": "a red apple", "extra_body": {"seed": 7, "steps": 4}}
    one, two = (client("openai-python")("generate", **said) for _ in range(2))
    assert one["data"][0]["b64_json"] != ""
    assert one["usage"]["total_tokens"] == two["usage"]["total_tokens"] > 0
    assert one["request_id"]
