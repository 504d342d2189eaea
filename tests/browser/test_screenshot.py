"""A screenshot of the studio, cropped and saved as JPEG, leads back to its record."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import FilePayload, Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

SEED = 11
MOST_LOOKS, LOOK_AGAIN_MS = 40, 250
MOST_SHOTS = 4
ABOUT_THE_SAME = 12.0
"""Mean difference, in 8-bit steps, of a shot from the picture that it shows; the studio's film base
is more than a hundred away from any."""

OURS = {
    "This picture comes from this system.",
    "A part of this picture comes from this system; what lies beside it does not.",  # the page
}


def cropped_screenshot(page: Page, card: Locator) -> bytes:
    """A little of the page around the card's picture, and a tenth of the picture cut off below.

    A card is drawn anew when its request ends, so the one that ended is waited for, and then until
    the screen really shows the picture: somebody who takes a screenshot sees it.
    """
    expect(card.locator("[data-label]")).to_have_text("Finished")
    picture = card.locator("img[src*='/file/']")
    file = page.request.get(str(picture.get_attribute("src"))).body()
    for _ in range(MOST_LOOKS):
        picture.evaluate("image => image.decode()")
        picture.scroll_into_view_if_needed()
        box = picture.bounding_box()
        assert box is not None
        shot = page.screenshot(
            type="jpeg",
            quality=80,
            clip={
                "x": box["x"] - 8,
                "y": box["y"] - 12,
                "width": box["width"] * 0.95,
                "height": box["height"] * 0.9,
            },
        )
        if shows(shot, file, side=round(box["width"])):
            return shot
        page.wait_for_timeout(LOOK_AGAIN_MS)
    raise AssertionError("the studio never showed the picture that it names")


def shows(shot: bytes, file: bytes, *, side: int) -> bool:
    """Whether a screenshot shows the picture of a file, 8 and 12 pixels from its left and top."""
    seen = pixels_of(shot)[12:, 8:].astype(float)
    picture = cv2.resize(pixels_of(file), (side, side), interpolation=cv2.INTER_AREA)
    height, width = (min(both) for both in zip(seen.shape[:2], picture.shape[:2], strict=True))
    apart = np.abs(seen[:height, :width] - picture[:height, :width])
    return float(apart.mean()) < ABOUT_THE_SAME


def pixels_of(file: bytes) -> NDArray[np.uint8]:
    decoded = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    return np.asarray(decoded, np.uint8)


def verify(page: Page, shot: bytes) -> str:
    """The headline of Verify's answer, whose page stays open."""
    page.goto("/verify/")
    file: FilePayload = {"name": "screenshot.jpg", "mimeType": "image/jpeg", "buffer": shot}
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check its marks").click()
    return page.locator("h1#result").inner_text()


def test_screenshot_of_the_studio_finds_its_record(open_page: OpenPage) -> None:
    """How often the marks are found in other pictures: tests/provenance/test_screenshots.py.

    On a busy machine Chromium paints a picture roughly at first, without what is fine in it: then
    another screenshot is taken.
    """
    page = open_page(as_="alice")
    card = generate(page, "a red apple on a plate", seed=SEED)
    expect_picture(card)
    said = []
    for _ in range(MOST_SHOTS):
        said.append(verify(page, cropped_screenshot(page, card)))
        if said[-1] in OURS:
            break
        page.goto("/studio/")
    assert said[-1] in OURS, said
    verdicts = page.locator(".verdict")
    expect(verdicts.nth(0)).to_have_attribute("data-verdict", "absent")
    for number in (2, 3, 4):
        expect(verdicts.nth(number)).to_have_attribute("data-verdict", "found_good")
    expect(page.locator("main")).to_contain_text("Identifier")
