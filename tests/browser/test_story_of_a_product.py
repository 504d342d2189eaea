"""A product's owner sets it up with clicks; its end user is refused, appeals and is right; and the
page of its webhooks.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect
from standardwebhooks import Webhook

from tests.browser import end_user_story
from tests.browser.conftest import PATIENCE_MS, House, OpenPage, open_once
from tests.browser.end_user_story import END_USER, Product
from tests.browser.test_desk import SEED
from tests.browser.test_story import sign_up
from tests.webhooks.receivers import Receiver, says

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def ask(product: Product, prompt: str) -> str:
    """The call that openai-python sends, and the text that it shows of the answer."""
    # a picture of which it is known that no classifier holds it
    asked = {"model": "starter", "prompt": prompt, "safety_identifier": END_USER, "seed": SEED}
    told = httpx.post(
        f"{product.house}/v1/images/generations",
        json=asked,
        headers={"Authorization": f"Bearer {product.key}"},
        timeout=300,
    )
    assert told.status_code == 400, told.text
    shown: str = told.json()["error"]["message"]
    return shown


def check(secret: str, headers: dict[str, str], body: bytes) -> str:
    said: dict[str, Any] = Webhook(secret).verify(body, headers)
    return str(said["type"])


def test_a_products_end_user_is_refused_appeals_and_is_right(
    open_page: OpenPage, house: House
) -> None:
    owner = open_page()
    sign_up(owner, "ruth")
    with Receiver(says(204)).listening() as receiver:
        product = end_user_story.set_up(owner, receiver, house=house.url)
        end_user_story.play(open_page, product, receiver, ask, check)


def test_the_page_of_webhooks_tries_one_out_and_sends_again(open_page: OpenPage) -> None:
    owner = open_page()
    sign_up(owner, "rolf")
    owner.goto("/projects/")
    owner.get_by_label("Name").fill("Try")
    owner.get_by_role("button", name="Make a project").click()
    owner.get_by_role("link", name="Webhooks").click()
    owner.get_by_label("Address").fill("http://169.254.169.254/latest")
    owner.get_by_role("button", name="Add it").click()
    expect(owner.locator("main")).to_contain_text("public https addresses alone")
    with Receiver(says(204)).listening() as receiver:
        secret = end_user_story.add_endpoint(owner, receiver.url)
        owner.get_by_role("link", name="All webhooks of Try").click()
        owner.get_by_role("link", name=receiver.url).click()
        expect(owner.locator("main")).not_to_contain_text("whsec_")

        owner.get_by_role("button", name="Send a test event").click()
        [first] = end_user_story.wait_for(owner, receiver, {"webhook.test"}).values()
        assert check(secret, first.headers, first.body) == "webhook.test"
        row = owner.locator("main tbody tr").first
        for _ in range(120):  # what came of it is written a moment after the receiver has it
            owner.reload()
            if "delivered" in row.inner_text():
                break
            owner.wait_for_timeout(250)
        expect(row).to_contain_text("delivered")
        expect(row).to_contain_text("204")
        row.get_by_text("Body").click()
        expect(row.locator("pre")).to_contain_text(json.loads(first.body)["timestamp"])

        row.get_by_role("button", name="Send webhook.test again").click()
        for _ in range(120):
            if len(receiver.received) == 2:
                break
            owner.wait_for_timeout(500)
        again = receiver.received[1]
        assert again.headers["webhook-id"] == first.headers["webhook-id"]
        assert again.body == first.body

        receiver.answer = says(410)
        owner.get_by_role("button", name="Send webhook.test again").first.click()
        open_once(owner, owner.url, says="Nothing is sent here")
        expect(owner.locator(".page-head")).to_contain_text("off")
    assert owner.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
