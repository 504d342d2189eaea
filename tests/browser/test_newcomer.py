"""What a newcomer does, click by click: a picture, a refusal, an appeal, a file proved."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import PATIENCE_MS, House, OpenPage, sign_in

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
PNG = b"\x89PNG\r\n\x1a\n"


def generate(
    page: Page,
    prompt: str,
    *,
    pace: str = "Quick",
    steps: int | None = None,
    seed: int | None = None,
    count: int | None = None,
) -> Locator:
    """Sends the studio's form; the new request's card, whichever else may come before it later."""
    if not page.url.endswith("/studio/"):
        page.goto("/studio/")
    cards = page.locator("[data-request]")
    earlier = cards.first.get_attribute("data-request") if cards.count() else ""
    page.get_by_label("What should the picture show?").fill(prompt)
    if seed is not None:
        page.get_by_text("Model, seed and more").click()
        page.locator("input[name=seed]").fill(str(seed))
    page.locator("label.chip", has_text=pace if steps is None else "Own").click()
    if steps is not None:
        page.get_by_label("Own number of steps").fill(str(steps))
    if count is not None:
        page.locator("label.chip", has_text=str(count)).last.click()
    page.get_by_role("button", name="Generate").click()
    expect(cards.first).not_to_have_attribute("data-request", earlier or "")
    return page.locator(f"[data-request='{cards.first.get_attribute('data-request')}']")


def expect_picture(card: Locator) -> None:
    """The card ends with a picture that the browser could really draw."""
    picture = card.locator("img[src*='/file/']")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("naturalWidth", 512)  # once it is there and can be drawn


def test_picture_appears_is_found_again_downloaded_and_proved(
    open_page: OpenPage, house: House, tmp_path: Path
) -> None:
    page = open_page()
    page.goto("/")
    page.get_by_role("link", name="Sign in").first.click()
    sign_in(page, "alice", house.passwords["alice"])
    card = generate(page, "a red apple", pace="Full", seed=12)
    expect(card).to_contain_text("a red apple")
    expect(card.locator("[data-live]")).to_contain_text("Step")
    expect_picture(card)
    expect(card).to_contain_text("Finished")

    page.get_by_role("link", name="Gallery").first.click()
    page.locator(".thumbs a").first.click()
    expect(page.get_by_role("heading", name="a red apple")).to_be_visible()
    expect(page.locator(".credentials")).to_contain_text("Signed")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download").click()
    file = tmp_path / downloading.value.suggested_filename
    downloading.value.save_as(file)
    assert file.read_bytes().startswith(PNG)

    page.goto("/verify/")
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="Check its marks").click()
    expect(page.locator(".verdict[data-verdict=found_good]")).to_have_count(5)


def test_refusal_is_explained_and_contested(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    card = generate(page, "a nude woman")
    expect(card).to_contain_text("The prompt was refused")
    card.get_by_role("link", name="Read why, or appeal").click()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.locator("main")).to_contain_text("a nude woman")
    page.locator("main textarea").first.fill("It is an anatomical drawing for a school book.")
    page.locator("main form:has(textarea) button").first.click()
    expect(page.locator("main")).to_contain_text("It is an anatomical drawing")
    page.go_back()
    page.get_by_role("link", name="Edit and try again").click()
    expect(page.get_by_label("What should the picture show?")).to_have_value("a nude woman")


def test_whole_way_works_without_javascript(open_page: OpenPage) -> None:
    page = open_page(as_="alice", java_script_enabled=False)
    card = generate(page, "a yellow sunflower")
    expect(card).to_contain_text("a yellow sunflower")
    card.get_by_role("link", name="a yellow sunflower").click()
    for _ in range(100):
        if page.locator("img[src*='/file/']").count():
            break
        page.wait_for_timeout(300)
        page.get_by_role("link", name="Refresh").click()
    page.locator("[data-request] .frame a").click()
    expect(page.get_by_role("heading", name="a yellow sunflower")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator("main")).to_contain_text("The image is deleted")


def test_picture_is_made_with_the_keyboard_alone(open_page: OpenPage) -> None:
    page = open_page(as_="alice", at="/studio/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    prompt = page.get_by_label("What should the picture show?")
    for _ in range(4):  # at most the switch of projects with its button, and Live, come before
        page.keyboard.press("Tab")
        if prompt.evaluate("field => field === document.activeElement"):
            break
    expect(prompt).to_be_focused()
    page.keyboard.type("a green leaf")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    expect(page.locator("input[value=quick]")).to_be_checked()
    outline = page.locator("label.chip:has(:focus-visible)").evaluate(
        "chip => getComputedStyle(chip).outlineStyle"
    )
    assert outline == "solid"
    page.keyboard.press("Control+Enter")
    card = page.locator("[data-request]", has_text="a green leaf").first
    expect_picture(card)


def test_phone_shows_the_picture_developing_without_scrolling_by_hand(
    open_page: OpenPage,
) -> None:
    page = open_page(as_="alice", width=390)
    card = generate(page, "a blue boat")
    expect(card).to_be_in_viewport()
    expect_picture(card)
