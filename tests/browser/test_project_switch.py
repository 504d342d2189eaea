"""Somebody in two projects switches by keyboard, on a telephone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, OpenPage

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def test_switch_by_keyboard_on_a_telephone(open_page: OpenPage) -> None:
    page = open_page(as_="alice", at="/projects/", width=390)
    page.get_by_label("Name", exact=True).fill("Team Heron")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Team Heron")
    page.goto(f"{page.url.partition('/projects/')[0]}/studio/")
    choice = page.get_by_label("You ask for")
    choice.focus()
    page.keyboard.type("Team")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".masthead-project")).to_have_text("For Team Heron")
    expect(choice.locator("option:checked")).to_have_text("Team Heron")
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= 390
