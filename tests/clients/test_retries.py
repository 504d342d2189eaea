"""What the libraries themselves do when an answer is lost on its way."""

from __future__ import annotations

import base64
import json

import pytest

from tests.clients import lossy_line
from tests.clients.conftest import REFUSED, Client, ClientHouse, appeal_in

pytestmark = pytest.mark.clients
RETRYING = ("openai-python", "openai-python 1.x", "openai-node", "LiteLLM")


@pytest.mark.parametrize("name", RETRYING)
def test_a_lost_answer_is_had_by_asking_again_and_charged_once(
    client: Client, name: str, house: ClientHouse
) -> None:
    """Its account may make one picture a day, so a second one would be refused."""
    with lossy_line.to(house.url) as line:
        asking = client(name, person=f"once {name}", at=line.url)
        told = asking("generate", model="starter", prompt="a pear", quality="low")
    assert told["ok"], told
    assert line.counts == ["0", "1"]
    assert line.bodies[0] == line.bodies[1]
    [shown] = told.get("images") or [each["b64_json"] for each in told["data"]]
    [lost] = json.loads(line.answers[0])["data"]
    assert base64.b64decode(shown) == base64.b64decode(lost["b64_json"])


def test_a_lost_refusal_is_the_same_decision(client: Client, house: ClientHouse) -> None:
    with lossy_line.to(house.url) as line:
        asking = client("openai-python", person="once refused", at=line.url)
        told = asking("generate", model="starter", prompt=REFUSED)
    assert told["ok"] is False
    assert line.counts == ["0", "1"]
    first, again = (json.loads(each)["error"] for each in line.answers)
    assert first["statement_url"] == again["statement_url"]
    assert appeal_in(told["shown"])
