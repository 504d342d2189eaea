"""A screenshot of the studio, cropped and saved as JPEG, leads back to its record."""

from __future__ import annotations

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def cropped_screenshot(page: Page, card: Locator) -> bytes:
    """A little of the page around the card's picture, and a tenth of the picture cut off below."""
    picture = card.locator("img[src*='/file/']")
    picture.evaluate("image => image.decode()")
    picture.scroll_into_view_if_needed()
    box = picture.bounding_box()
    assert box is not None
    return page.screenshot(
        type="jpeg",
        quality=80,
        clip={
            "x": box["x"] - 8,
            "y": box["y"] - 12,
            "width": box["width"] * 0.95,
            "height": box["height"] * 0.9,
        },
    )


def test_screenshot_of_the_studio_finds_its_record(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    card = generate(page, "a red apple on a plate")
    expect_picture(card)
    shot = cropped_screenshot(page, card)
    page.goto("/verify/")
    file: FilePayload = {"name": "screenshot.jpg", "mimeType": "image/jpeg", "buffer": shot}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check its marks").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "This picture comes from this system."
    )
    verdicts = page.locator(".verdict")
    expect(verdicts.nth(0)).to_have_attribute("data-verdict", "absent")
    for number in (2, 3, 4):
        expect(verdicts.nth(number)).to_have_attribute("data-verdict", "found_good")
    expect(page.locator("main")).to_contain_text("Identifier")
