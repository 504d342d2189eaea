"""A product's end user is refused, opens the address without an account, appeals by keyboard, and
finds outcome and picture there, once a moderator of the house has heard it.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage, open_once
from tests.browser.test_desk import SEED

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

REFUSED = "a nude woman in a park"
QUICK_STEPS = 6


def ask(product: Page, prompt: str) -> dict[str, Any]:
    """What the product's program is told once its request is refused."""
    token = next(c["value"] for c in product.context.cookies() if c["name"] == "csrftoken")
    headers = {"X-CSRFToken": token, "Referer": product.url}
    # a picture of which it is known that no classifier holds it
    asked = {"prompt": prompt, "seed": SEED, "steps": QUICK_STEPS}
    made = product.request.post("/api/v1/generations/", data=asked, headers=headers)
    assert made.status == 201, made.text()
    for _ in range(120):
        said: dict[str, Any] = product.request.get(made.json()["url"]).json()
        if said["status"] == "refused":
            return said
        product.wait_for_timeout(500)
    raise AssertionError(said)


def press_until(page: Page, name: str) -> None:
    """Tab to the button of that name, and press it."""
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"no way by keyboard to “{name}”")


def test_end_user_is_refused_appeals_and_gets_the_picture(open_page: OpenPage) -> None:
    refusal = ask(open_page(as_="alice"), REFUSED)["refusal"]
    eve = open_page(width=390)
    eve.goto(refusal["statement_url"])
    expect(eve.locator("h1")).to_have_text("Your prompt was refused")
    expect(eve.locator("main")).not_to_contain_text(REFUSED)
    press_until(eve, "Show the words")
    expect(eve.locator("#words")).to_contain_text(REFUSED)
    eve.goto(refusal["appeal_url"])
    press_until(eve, "Lodge the appeal")
    expect(eve.locator("#receipt")).to_have_text("Your appeal")
    assert eve.url == refusal["appeal_url"]
    assert eve.context.cookies() == []
    assert eve.evaluate("document.documentElement.scrollWidth <= window.innerWidth")

    carol = open_page(as_="carol")
    carol.goto("/appeals/")
    carol.locator("main tbody tr").last.get_by_role("link").first.click()
    expect(carol.locator("main")).to_contain_text("need not say why")
    carol.get_by_label("Reverse: the decision was wrong, allow it").check()
    carol.get_by_label("Reasons").fill("A painting in a park.")
    carol.get_by_role("button", name="Conclude the appeal").click()
    expect(carol.locator("#messages")).to_contain_text("Decision reversed")

    eve.reload()
    expect(eve.locator("main")).to_contain_text("A painting in a park.")
    picture = eve.get_by_alt_text("Picture 1 that was made")
    open_once(eve, refusal["appeal_url"], says='alt="Picture 1 that was made')
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.complete && image.naturalWidth") > 0
    with eve.expect_download() as download:
        eve.get_by_role("link", name="Download it").click()
    assert download.value.suggested_filename.endswith(".png")
