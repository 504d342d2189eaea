"""What no client should send, sent to a whole house: one clear answer each, and nothing charged."""

from __future__ import annotations

import io
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from PIL import Image

from tests.clients.conftest import PATIENCE_S, ClientHouse, get

pytestmark = pytest.mark.clients
GOOD = {"model": "starter", "prompt": "a red apple", "quality": "low"}
MAKE, EDIT = "generations", "edits"
BODIES: dict[str, tuple[Any, int, str]] = {
    "a model that is not here": ({"model": "dall-e-9"}, 404, "model_not_found"),
    "a size that no model has": ({"size": "7x7"}, 400, "invalid_value"),
    "a member that means nothing": ({"promt": "a"}, 400, "invalid_value"),
    "eleven pictures": ({"n": 11}, 400, "invalid_value"),
    "33,000 characters": ({"prompt": "x" * 33_000}, 400, "invalid_value"),
    "a number as the prompt": ({"prompt": 5}, 400, "invalid_value"),
    "two and a half pictures": ({"n": 2.5}, 400, "invalid_value"),
    "a NUL": ({"prompt": "a\0b"}, 400, "invalid_value"),
    "half a character": ({"prompt": "\ud800"}, 400, "half_character"),
    "blanks that have no width": ({"prompt": "\u200b\u200b"}, 400, "prompt_empty"),
    "a seed of forty digits": ({"seed": 10**39}, 400, "seed_out_of_range"),
    "one member twice": (b'{"prompt": "a", "prompt": "b"}', 400, "member_twice"),
    "brackets without an end": (b"[" * 100_000, 400, "nested_too_deep"),
    "UTF-16": ('{"prompt": "a"}'.encode("utf-16"), 400, "parse_error"),
    "half a body": (b'{"prompt": "a', 400, "parse_error"),
}
ADDRESSES = {
    "the web's": ("https://example.org/a.png", 400, "image_url_not_inline"),
    "the cloud's own": ("http://169.254.169.254/latest", 400, "image_url_not_inline"),
    "a file of the house": ("file:///etc/passwd", 400, "image_url_not_inline"),
    "a drawing": ("data:image/svg+xml;base64,PHN2Zy8+", 400, "not_a_picture"),
    "20 MB": ("data:image/png;base64," + "A" * 20 * 1024**2, 413, "too_large"),
}
HEADERS = {
    "Idempotency-Key": ("x" * 201, "idempotency_key_too_long"),
    "X-Proofsheet-End-User": ("x" * 4097, "end_user_id_too_long"),
}


@pytest.fixture
def key(house: ClientHouse) -> dict[str, str]:
    """Of somebody who may make one picture a day: what is charged is noticed."""
    return {"Authorization": f"Bearer {house.keys['bad input']}"}


def ask(house: ClientHouse, what: str, **said: Any) -> httpx.Response:
    return httpx.post(f"{house.url}/v1/images/{what}", timeout=PATIENCE_S, **said)


def is_told(answer: httpx.Response, status: int, code: str) -> None:
    """In OpenAI's envelope, in one line that a library shows whole."""
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (status, code), error
    assert error["type"] == "invalid_request_error"
    assert error["message"]
    assert "\n" not in error["message"]


@pytest.mark.parametrize("what", BODIES)
def test_a_body_is_refused_by_name(house: ClientHouse, key: dict[str, str], what: str) -> None:
    said, status, code = BODIES[what]
    body = said if isinstance(said, bytes) else json.dumps(GOOD | said).encode()
    sent = key | {"Content-Type": "application/json"}
    is_told(ask(house, MAKE, content=body, headers=sent), status, code)


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_refused_by_name(house: ClientHouse, key: dict[str, str], name: str) -> None:
    said, code = HEADERS[name]
    is_told(ask(house, MAKE, json=GOOD, headers=key | {name: said}), 400, code)


@pytest.mark.parametrize("what", ADDRESSES)
def test_no_address_is_fetched(house: ClientHouse, key: dict[str, str], what: str) -> None:
    url, status, code = ADDRESSES[what]
    body = {"prompt": "a pear", "images": [{"image_url": url}]}
    is_told(ask(house, EDIT, json=body, headers=key), status, code)


@pytest.mark.parametrize(
    ("pictures", "code"),
    [
        ({"image": (512, 512), "mask": (64, 64)}, "mask_size_differs"),
        ({"image": (512, 512), "mask": (512, 512)}, "mask_full"),
        ({"image": (512, 512), "mask": (1, 1)}, "mask_unreadable"),
        ({"image": (1, 1)}, "picture_too_small"),
        ({"image[]": (64, 64), "image": (64, 64)}, "several_pictures_not_supported"),
        ({"imag": (64, 64)}, "invalid_value"),
    ],
)
def test_a_form_is_refused_by_name(
    house: ClientHouse, key: dict[str, str], pictures: dict[str, tuple[int, int]], code: str
) -> None:
    files = {name: ("a.png", drawn(size), "image/png") for name, size in pictures.items()}
    is_told(ask(house, EDIT, files=files, data={"prompt": "a pear"}, headers=key), 400, code)


def test_none_of_it_was_charged(house: ClientHouse, key: dict[str, str]) -> None:
    made = ask(house, MAKE, json=GOOD, headers=key)
    assert made.status_code == 200, made.text
    again = ask(house, MAKE, json=GOOD | {"prompt": "a pear"}, headers=key)
    assert (again.status_code, again.json()["error"]["code"]) == (429, "insufficient_quota")


def test_who_leaves_in_mid_stream_finds_the_picture_and_is_charged_once(house: ClientHouse) -> None:
    key = {"Authorization": f"Bearer {house.keys['leaves']}"}
    url, body = f"{house.url}/v1/images/{MAKE}", GOOD | {"stream": True}
    with httpx.stream("POST", url, json=body, headers=key, timeout=PATIENCE_S) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
    repeated = ask(house, MAKE, json=body, headers=key | {"x-stainless-retry-count": "1"})
    *_, last = [line for line in repeated.text.splitlines() if line.startswith("data: ")]
    assert json.loads(last.removeprefix("data: "))["type"] == "image_generation.completed"
    [made] = get(f"{house.url}/api/v1/generations/", headers=key).json()["results"]
    assert made["status"] == "finished"


def test_who_closes_the_sending_half_gets_the_picture_by_asking_again(house: ClientHouse) -> None:
    """The web server takes it for somebody who has left, perhaps before the request was begun."""
    body, key = GOOD | {"prompt": "a pear"}, house.keys["half"]
    url = urlsplit(house.url)
    with socket.create_connection((url.hostname, url.port), timeout=PATIENCE_S) as line:
        line.sendall(as_sent(body, key, host=url.netloc))
        line.shutdown(socket.SHUT_WR)
        assert line.recv(1) == b""
    headers = {"Authorization": f"Bearer {key}"}
    answer = ask(house, MAKE, json=body, headers=headers | {"x-stainless-retry-count": "1"})
    assert answer.status_code == 200, answer.text
    [made] = get(f"{house.url}/api/v1/generations/", headers=headers).json()["results"]
    assert made["id"] == answer.headers["x-proofsheet-generation"]


def as_sent(body: Any, key: str, *, host: str) -> bytes:
    """One whole request, as it goes over the line."""
    data = json.dumps(body).encode()
    head = (
        f"POST /v1/images/{MAKE} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
    )
    return head.encode() + data


def drawn(size: tuple[int, int]) -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", size, (200, 40, 40, 0)).save(out, "PNG")
    return out.getvalue()
