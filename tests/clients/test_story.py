"""A product that uses openai-python serves somebody, who is refused, appeals and is right."""

from __future__ import annotations

from secrets import token_hex

import pytest

from tests.browser import end_user_story
from tests.browser.conftest import OpenPage
from tests.browser.end_user_story import END_USER, Product
from tests.browser.test_desk import SEED
from tests.browser.test_story import sign_up
from tests.clients.conftest import Client, ClientHouse
from tests.webhooks.receivers import Receiver, says

pytestmark = pytest.mark.clients


def test_a_products_end_user_is_refused_in_openai_python_appeals_and_is_right(
    open_page: OpenPage, house: ClientHouse, python_driver: Client
) -> None:
    def ask(product: Product, prompt: str) -> str:
        client = python_driver("openai_python", "today", key=product.key)
        said = {"model": "starter", "prompt": prompt, "extra_body": {"seed": SEED}}
        told = client("generate", safety_identifier=END_USER, **said)
        assert (told["ok"], told["body"]["code"]) == (False, "moderation_blocked")
        shown: str = told["shown"]
        return shown

    def check(secret: str, headers: dict[str, str], body: bytes) -> str:
        said = {"body": body.decode(), "headers": headers, "secret": secret}
        types = {
            python_driver("openai_python", "today", key=product.key)("unwrap", **said).get("type"),
            python_driver("webhooks_python", "today")("verify", **said).get("type"),
        }
        [name] = types
        return str(name)

    owner = open_page()
    sign_up(owner, f"ruth-{token_hex(4)}")
    with Receiver(says(204)).listening() as receiver:
        product = end_user_story.set_up(owner, receiver, house=house.url)
        end_user_story.play(open_page, product, receiver, ask, check)
