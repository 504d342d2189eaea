"""webuiapi, a client of AUTOMATIC1111's web UI, calls `/sdapi/v1/`."""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from tests.clients.conftest import REFUSED, Driver, get

pytestmark = pytest.mark.clients
SIZE = {"width": 512, "height": 512}


@pytest.fixture
def client(python_driver: Callable[..., Driver]) -> Driver:
    return python_driver("webuiapi_python", "today")


def test_a_picture_comes(client: Driver) -> None:
    made = client("txt2img", prompt="a red apple", steps=4, seed=7, **SIZE)
    assert made["ok"], made
    assert made["sizes"] == [[512, 512]]
    assert made["info"]["seed"] == 7


def test_a_picture_starts_from_another(client: Driver, png: str) -> None:
    made = client("img2img", prompt="a red apple", picture=png, steps=8, **SIZE)
    assert made["ok"], made
    assert made["sizes"] == [[512, 512]]


def test_a_mask_lets_only_what_is_white_change(client: Driver, png: str) -> None:
    mask = Image.new("L", (512, 512))
    mask.paste(255, (0, 0, 512, 200))
    out = io.BytesIO()
    mask.save(out, "PNG")
    said = {"mask": base64.b64encode(out.getvalue()).decode(), "inpainting_fill": 1}
    made = client("img2img", prompt="a green pear", picture=png, steps=12, **said, **SIZE)
    assert made["ok"], made
    before, after = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB"), np.int16)
        for data in (png, made["pictures"][0])
    )
    change = np.abs(after - before).mean(axis=(1, 2))
    assert change[224:].max() < 4  # the blur ends before, and a second watermark is as little
    assert change[:200].mean() > 4


def test_its_lists_are_answered(client: Driver) -> None:
    told = client("lists")
    assert told["ok"], told
    assert told["models"]
    assert told["samplers"]


def test_a_refusal_shows_reason_and_a_working_appeal(client: Driver) -> None:
    told = client("txt2img", prompt=REFUSED, steps=4, **SIZE)
    assert told["ok"] is False
    assert "nudity" in told["shown"]
    found = re.search(r"https?://[^\s\"'\\]+/r/[\w-]+", told["shown"])
    assert found, told["shown"]
    assert get(found[0]).status_code == 200


def test_an_unknown_adapter_is_named(client: Driver) -> None:
    told = client("txt2img", prompt="a cat <lora:no-such:1>", steps=4, **SIZE)
    assert told["ok"] is False
    assert "no-such" in told["shown"]


def test_a_revoked_key_is_told(python_driver: Callable[..., Driver]) -> None:
    told = python_driver("webuiapi_python", "today", person="gone")("txt2img", prompt="a cat")
    assert told["ok"] is False
    assert "401" in told["shown"]
