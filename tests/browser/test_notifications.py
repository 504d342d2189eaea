"""Somebody who was refused is told in the house, reads it, and the bell is quiet again."""

from __future__ import annotations

import os

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import generate
from tests.browser.test_phone_and_night import FAINT

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def test_the_bell_tells_what_is_new_until_it_is_read(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    expect(generate(page, "a naked child")).to_contain_text("The prompt was refused")
    narrow = open_page(as_="alice", at="/gallery/", width=390, color_scheme="dark")
    bell = narrow.get_by_role("link", name="Notifications")
    expect(bell.locator(".unread")).to_be_visible()
    bell.focus()
    narrow.keyboard.press("Enter")
    expect(narrow.get_by_role("heading", level=1)).to_have_text("Notifications")
    expect(narrow.locator(".news .is-new").first).to_contain_text("a naked child")
    assert narrow.evaluate(FAINT) == []
    assert narrow.evaluate("document.documentElement.scrollWidth") <= 390
    if folder := os.environ.get("SCREENSHOTS"):
        narrow.screenshot(path=f"{folder}/notifications-390.png", full_page=True)
        page.goto(narrow.url)
        page.screenshot(path=f"{folder}/notifications-1280.png")
    expect(narrow.locator(".unread")).to_have_count(0)
    expect(narrow.get_by_role("button", name="Mark as read")).to_have_count(0)
    narrow.locator(".news a").first.click()
    expect(narrow.get_by_role("heading", level=1)).to_contain_text("refused")


def test_the_bell_of_a_session_that_is_over_takes_nothing_away(open_page: OpenPage) -> None:
    page = open_page(as_="alice", at="/studio/")
    page.get_by_label("What should the picture show?").fill("a long thought")
    page.context.clear_cookies()
    with page.expect_response("**/accounts/login/**"):
        page.evaluate("document.dispatchEvent(new Event('notifications-read'))")
    expect(page.get_by_role("link", name="Notifications")).to_be_visible()
    expect(page.get_by_label("What should the picture show?")).to_have_value("a long thought")
    expect(page.locator(".masthead-news form")).to_have_count(0)
