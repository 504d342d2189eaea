"""A held prompt decided at the desk with the keyboard, and an appeal heard by somebody else."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage, open_once
from tests.browser.test_newcomer import generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


SEED = 1
"""Of some seeds the image screening holds the picture too, and the story would have another end."""


def wait_for_picture(page: Page) -> None:
    """Nothing of it may be shown by itself any more, so look again until it is there."""
    open_once(page, page.url, says="<img[^>]*/file/")
    expect(page.locator("img[src*='/file/']").first).to_be_attached()


def test_held_prompt_is_undone_then_allowed_by_keys_and_its_picture_appears(
    open_page: OpenPage,
) -> None:
    alice, bob = open_page(as_="alice"), open_page(as_="bob")
    card = generate(alice, "a woman in lingerie at a market", seed=SEED)
    expect(card).to_contain_text("Held for review")
    card.get_by_role("link", name="a woman in lingerie at a market").click()

    bob.goto("/review/")
    bob.keyboard.press("n")
    expect(bob.locator("main mark")).to_contain_text("lingerie")
    bob.wait_for_load_state()  # the keys are those of a script
    bob.keyboard.press("r")
    expect(bob.locator("form.undo")).to_contain_text("Refused")
    bob.wait_for_load_state()  # the keys are those of a script
    bob.keyboard.press("z")
    expect(bob.get_by_role("button", name="Allow")).to_be_visible()
    bob.wait_for_load_state()  # the keys are those of a script
    bob.keyboard.press("a")
    expect(bob.locator("form.undo")).to_contain_text("Allowed")
    wait_for_picture(alice)


def test_appeal_is_heard_by_a_senior_moderator_alone_and_the_picture_appears(
    open_page: OpenPage,
) -> None:
    alice, bob, carol = (open_page(as_=name) for name in ("alice", "bob", "carol"))
    card = generate(alice, "a nude woman in a park", seed=SEED)
    expect(card).to_contain_text("The prompt was refused")
    card.get_by_role("link", name="Read why, or appeal").click()
    alice.locator("main textarea").first.fill("It is a statue in the city's own sculpture garden.")
    alice.get_by_role("button", name="Lodge the appeal").click()
    expect(alice.locator("main")).to_contain_text("sculpture garden")

    carol.goto("/appeals/")
    row = carol.locator("tr", has_text="sculpture garden")
    row.get_by_role("link").click()
    answer = bob.goto(carol.url)
    assert answer is not None
    assert answer.status in {403, 404}
    carol.get_by_label("Reverse: the decision was wrong, allow it").check()
    carol.locator("main textarea").fill("A statue in a public garden is within the policy.")
    carol.get_by_role("button", name="Conclude the appeal").click()
    expect(carol.locator("main")).to_contain_text("Decision reversed")

    open_once(alice, "/gallery/", says='<img[^>]* alt="a nude woman in a park')
    alice.get_by_role("link", name="a nude woman in a park").first.click()
    expect(alice.locator(".credentials")).to_contain_text("Signed")
