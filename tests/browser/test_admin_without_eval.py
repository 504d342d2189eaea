"""The admin without eval: every page that an operator can open works, and nothing is refused by
the content policy (`open_page` holds that no page complains on its console)."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_desk import SEED
from tests.browser.test_newcomer import generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
ID = re.compile(r"/[0-9a-f-]{36}/|/\d+/")
LEADS_AWAY = ("/admin/logout/", "/admin/jsi18n/", "/admin/r/")


def test_every_page_of_the_admin_opens_without_eval(open_page: OpenPage) -> None:
    alice = open_page(as_="alice")
    for prompt in ("a red apple", "a nude woman"):  # so that lists have rows
        alice.goto("/studio/")  # where the settings are folded again
        generate(alice, prompt, seed=SEED)
    olga = open_page(as_="olga")
    waiting, seen = ["/admin/"], {"/admin/"}
    while waiting:
        path = waiting.pop()
        answer = olga.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        assert "unsafe-eval" not in answer.headers["content-security-policy"]
        for link in links_of(olga):
            if (kind := ID.sub("/ID/", link)) not in seen:
                seen.add(kind)
                waiting.append(link)
    assert len(seen) > 40, sorted(seen)


def links_of(page: Page) -> list[str]:
    """Paths of the admin that a page links to, without what orders or filters a list."""
    found = page.locator("a[href]").evaluate_all("links => links.map(link => link.href)")
    paths = [re.sub(r"^https?://[^/]+|[?#].*$", "", link) for link in found]
    return [
        each for each in paths if each.startswith("/admin/") and not each.startswith(LEADS_AWAY)
    ]


def test_what_the_admin_opens_and_closes_does_so_without_eval(open_page: OpenPage) -> None:
    page = open_page(as_="olga")
    page.goto("/admin/auth/user/")
    page.keyboard.press("/")
    expect(page.locator("#searchbar")).to_be_focused()
    page.locator("#searchbar").blur()

    page.keyboard.press("Control+k")
    asked = page.locator("#search-input-command")
    expect(asked).to_be_focused()
    asked.press_sequentially("request")
    expect(page.locator("#command-results-list li").first).to_be_visible()
    asked.press("ArrowDown")
    asked.press("Enter")
    page.wait_for_url(re.compile(r"/admin/generation/"))

    page.goto("/admin/auth/user/")
    page.get_by_text("Filters").first.click()
    expect(page.get_by_text("By staff status")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.get_by_text("By staff status")).to_be_hidden()
    for scheme in ("light", "dark"):  # what is chosen by hand
        page.keyboard.press("Control+e")
        expect(page.locator("html")).to_have_class(re.compile(rf"\b{scheme}\b"))
    page.get_by_text("dock_to_right").locator("visible=true").click()
    assert page.evaluate("localStorage.getItem('sidebarDesktopOpen')") == "0"
