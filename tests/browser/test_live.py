"""The live page: it draws what is typed, and says when there is nothing to redraw."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

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


def test_a_picture_that_takes_long_is_said_to_be_drawn(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    held: list[Route] = []
    page.route("**/studio/live/draw/", lambda route: held.append(route))
    page.goto("/studio/live/")
    said = page.get_by_role("status")
    page.get_by_label("What should the picture show?").fill("a red apple")
    expect(said).to_contain_text("It takes longer than usual")
    held[0].continue_()
    expect(said).to_contain_text("Drawn in")


def test_a_window_says_when_another_one_took_over(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    page.route("**/studio/live/*-*/", lambda route: route.fulfill(status=204))
    page.goto("/studio/live/")
    page.get_by_label("What should the picture show?").fill("a red apple")
    expect(page.get_by_role("status")).to_contain_text("Another window")
