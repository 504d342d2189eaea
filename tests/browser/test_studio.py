"""The studio when something is out of the ordinary: cancelled, cut off, signed out, narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
PUBLIC = ["/", "/accounts/login/", "/accounts/signup/", "/accounts/password/reset/", "/verify/"]
PRIVATE = ["/studio/", "/gallery/", "/account/", "/accounts/2fa/", "/adapters/", "/appeals/"]


def test_a_running_request_is_cancelled(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.get_by_label("What should the picture show?").fill("a slow snail")
    page.locator("label.chip", has_text="Own").click()
    page.get_by_label("Own number of steps").fill("100")
    page.get_by_role("button", name="Generate").click()
    card = page.locator("[data-request]").first
    expect(card.locator("[data-live]")).to_contain_text("Step")
    card.get_by_role("button", name="Cancel").click()
    expect(card).to_contain_text("Cancelled")
    card.get_by_role("button", name="Remove").click()
    expect(page.locator("#sheet")).not_to_contain_text("a slow snail")


def test_page_polls_where_no_stream_comes_through(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.route("**/studio/events/", lambda route: route.fulfill(status=503))
    generate(page, "a grey stone")
    expect_picture(page)


def test_empty_prompt_is_answered_beside_the_field(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.locator("#compose").evaluate("form => form.noValidate = true")
    page.get_by_role("button", name="Generate").click()
    expect(page.locator("#compose")).to_contain_text("The prompt is empty.")


def test_ended_session_leads_back_to_the_sign_in_page(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.context.clear_cookies(name="sessionid")
    generate(page, "a lost letter")
    expect(page.locator("main").get_by_role("button", name="Sign in")).to_be_visible()


def test_gallery_narrows_while_one_types(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.goto("/gallery/")
    page.get_by_label("Prompt contains").press_sequentially("zebra")
    expect(page.locator("#contact-sheet")).to_contain_text("No frame matches")
    expect(page).to_have_url(re.compile("text=zebra"))


def overflow(page: Page) -> int:
    width: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return width


def test_no_page_scrolls_sideways(open_page: OpenPage) -> None:
    wide: list[str] = []
    for page, paths in ((open_page(as_="alice"), PRIVATE), (open_page(), PUBLIC)):
        for path in paths:
            page.goto(path)
            for width in (390, 768, 1920):
                page.set_viewport_size({"width": width, "height": 860})
                if overflow(page) > 0:
                    wide.append(f"{path} at {width}")
    assert wide == []
