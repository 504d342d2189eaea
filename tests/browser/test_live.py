"""The live page: it draws what is typed, and says when there is nothing to redraw."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def test_the_picture_stays_where_the_typing_would_not_change_it(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    expect_picture(generate(page, "a red apple"))  # a worker that is just starting takes longer
    page.goto("/studio/live/")
    prompt = page.get_by_label("What should the picture show?")
    picture = page.locator("#live-picture")
    said = page.get_by_role("status")
    prompt.fill("a red apple")
    expect(said).to_contain_text("Drawn in")
    expect(picture).to_be_visible()
    first = picture.get_attribute("src")
    prompt.fill("A RED apple")
    expect(said).to_contain_text("Nothing to redraw")
    expect(picture).to_have_attribute("src", first or "")
    prompt.fill("a green apple")
    expect(said).to_contain_text("Drawn in")
    expect(picture).not_to_have_attribute("src", first or "")
