"""The pictures of the README, taken of a house that just started.

    make screenshots

Not a test by its name: what it writes is for people to look at.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

FOLDER = Path(settings.ROOT) / "docs" / "use" / "screenshots"
PROMPTS = ("a man cook with light skin tone", "a red apple")


def take(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png", caret="initial")  # hiding it needs a style inline


def test_take_those_of_the_readme(open_page: OpenPage, tmp_path: Path) -> None:
    alice, bob, visitor = open_page(as_="alice"), open_page(as_="bob"), open_page()
    for seed, prompt in enumerate(PROMPTS):
        card = generate(alice, prompt, seed=seed)
        expect(card.locator("[data-label]")).to_have_text("Finished")
    alice.reload()
    take(alice, "studio")

    file = tmp_path / "apple.png"
    picture = alice.locator("[data-request] img[src*='/file/']").first.get_attribute("src")
    file.write_bytes(alice.request.get(str(picture)).body())
    visitor.goto("/verify/")
    visitor.locator("input[type=file]").set_input_files(file)
    visitor.get_by_role("button", name="Check its marks").click()
    expect(visitor.locator("h1#result")).to_have_text("This picture comes from this system.")
    take(visitor, "verify")

    generate(alice, "a woman in lingerie at a market")
    bob.goto("/review/")
    bob.keyboard.press("n")
    expect(bob.locator("main mark")).to_contain_text("lingerie")
    take(bob, "review")

    card = generate(alice, "a nude woman")
    card.get_by_role("link", name="Read why, or appeal").click()
    take(alice, "refusal")
