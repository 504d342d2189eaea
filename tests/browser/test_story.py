"""The whole story of moderation with real clicks and keys: refused, held, decided by keyboard,
undone, appealed, heard by somebody else, reversed, delivered with its credentials, exported.
"""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from moderation.statements.formats import eu_statement
from tests.browser.conftest import PATIENCE_MS, OpenPage, open_once
from tests.browser.test_desk import SEED
from tests.browser.test_newcomer import generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

REFUSED = "a nude woman in a park"
HELD_PICTURE = "a red apple on a plate"
AUDIENCE = "education-medical"
TO_DECIDE = 10
PASSPHRASE = "a long enough passphrase"


def sign_up(page: Page, name: str, *, house: str = "") -> None:
    page.goto(f"{house}/accounts/signup/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSPHRASE)
    page.get_by_label("Password (again)").fill(PASSPHRASE)
    page.locator("main").get_by_role("button", name="Make the account").click()
    page.wait_for_url("**/studio/")


def choose_audience(page: Page, profile: str) -> None:
    page.goto("/audience/")
    page.locator(f"input[value='{profile}']").check()
    page.get_by_role("button", name="Use this audience").click()
    expect(page.locator("#messages")).to_contain_text(profile)


def hold_every_picture(dora: Page, carol: Page) -> None:
    """Compliance proposes that a person looks at each picture of one audience; carol agrees."""
    dora.goto("/policies/")
    dora.get_by_role("link", name=f"Draft a new version for {AUDIENCE}").click()
    dora.locator("input[name='sexual.image.hold']").fill("0.0001")
    dora.get_by_label("Why").fill("For a week a person looks at every picture of this audience.")
    dora.get_by_role("button", name="Propose it").click()
    expect(dora.locator("main")).to_contain_text("puts it in force")
    carol.goto(dora.url)
    carol.get_by_role("button", name="Put it in force").click()
    expect(carol.locator("main")).to_contain_text(f"is in force for the profile “{AUDIENCE}”")


def decide_by_keyboard(page: Page) -> str:
    """One case with keys alone; the kind of its subject."""
    page.wait_for_load_state()  # the keys are those of a script
    address = page.url
    kind = page.locator("h1").inner_text().split(",")[0].lower()
    if kind.startswith("image"):
        page.keyboard.press("Space")
        expect(page.get_by_alt_text("The picture under review", exact=True)).to_be_visible()
        page.keyboard.press("a")
    else:
        page.keyboard.press("1")
        page.keyboard.press("r")
    expect(page).not_to_have_url(address)
    return kind


def test_refusal_appeal_keyboard_reversal_credentials_and_export(
    open_page: OpenPage, tmp_path: Path
) -> None:
    bob, carol, dora = (open_page(as_=name) for name in ("bob", "carol", "dora"))
    nora = open_page()
    sign_up(nora, "nora")
    hold_every_picture(dora, carol)

    # a picture of hers is held, a prompt refused with its reason, and she appeals
    choose_audience(nora, AUDIENCE)
    expect(generate(nora, HELD_PICTURE, seed=SEED)).to_contain_text("Held for review")
    choose_audience(nora, "general")
    card = generate(nora, REFUSED, seed=SEED)
    expect(card).to_contain_text("The prompt was refused")
    card.get_by_role("link", name="Read why, or appeal").click()
    expect(nora.locator("h1")).to_have_text("Your prompt was refused")
    expect(nora.locator("main mark")).to_contain_text("nude")
    nora.locator("main textarea").first.fill("It is a marble statue in the city's own park.")
    nora.get_by_role("button", name="Lodge the appeal").click()
    expect(nora.locator("main")).to_contain_text("marble statue")

    # ten more wait; bob decides ten without the mouse, and takes one back on the way
    for number in range(1, TO_DECIDE):
        card = generate(nora, f"a woman in lingerie at market stall {number}")
        expect(card).to_contain_text("Held for review")
    bob.goto("/review/")
    bob.keyboard.press("n")
    expect(bob.locator("#decide")).to_be_visible()
    first = decide_by_keyboard(bob)
    bob.wait_for_load_state()
    bob.keyboard.press("z")
    expect(bob.locator("main")).to_contain_text("Undone. Nothing was sent")
    kinds = [decide_by_keyboard(bob) for _ in range(TO_DECIDE)]
    assert first == kinds[0]
    assert any(kind.startswith("image") for kind in kinds)

    # the one who decides cases may not hear the appeal; carol hears it and reverses
    carol.goto("/appeals/")
    carol.locator("tr", has_text="marble statue").get_by_role("link").click()
    answer = bob.goto(carol.url)
    assert answer is not None
    assert answer.status == 404
    expect(bob.locator("main")).to_contain_text("appeal_not_found")
    carol.get_by_label("Reverse: the decision was wrong, allow it").check()
    carol.locator("main textarea").fill("A statue in a public park is within the policy.")
    carol.get_by_role("button", name="Conclude the appeal").click()
    expect(carol.locator("main")).to_contain_text("Decision reversed")

    # both pictures come into her gallery, with their credentials
    for prompt in (HELD_PICTURE, REFUSED):
        open_once(nora, "/gallery/", says=f'<img[^>]* alt="{prompt}"')
        nora.locator(f"main a:has(img[alt='{prompt}'])").first.click()
        expect(nora.locator(".credentials")).to_contain_text("Signed")

    # what bob refused reaches her with its reasons, once his undo window is over
    refusals = nora.locator("section:has(#open) li")
    for _ in range(120):
        nora.goto("/appeals/")
        if refusals.count() == TO_DECIDE - 1:
            break
        nora.wait_for_timeout(500)
    expect(refusals).to_have_count(TO_DECIDE - 1)

    # compliance takes the period's statements out, and the EU database would take them
    dora.goto("/reports/exports/")
    dora.locator("main select").first.select_option("statements")
    with dora.expect_download() as downloading:
        dora.get_by_role("button", name="Download the archive").click()
    archive = tmp_path / "statements.zip"
    downloading.value.save_as(archive)
    with zipfile.ZipFile(archive) as opened:
        batches = [name for name in opened.namelist() if name.startswith("statements-")]
        taken = [one for name in batches for one in json.loads(opened.read(name))["statements"]]
    assert len(taken) >= TO_DECIDE
    for statement in taken:
        eu_statement.validate(statement)


def test_suspension_by_two_people_is_told_in_the_studio_and_at_the_door(
    open_page: OpenPage,
) -> None:
    bob, carol = (open_page(as_=name) for name in ("bob", "carol"))
    otto = open_page()
    sign_up(otto, "otto")
    expect(generate(otto, "a woman in lingerie on a stage")).to_contain_text("Held for review")

    bob.goto("/review/")
    bob.locator("tr", has_text="on a stage").get_by_role("link").first.click()
    expect(bob.locator("main mark")).to_have_text("lingerie")
    bob.wait_for_load_state()
    bob.keyboard.press("c")
    expect(bob.locator("#decide")).to_be_visible()
    bob.wait_for_load_state()
    bob.keyboard.press("1")
    bob.keyboard.press("s")
    expect(bob.locator("form.undo")).to_contain_text("A second person has to confirm it")
    carol.goto("/review/")
    carol.get_by_role("link", name="refused, account suspended").first.click()
    carol.get_by_role("button", name="Confirm").click()
    expect(carol.locator("#messages")).to_contain_text("Confirmed")

    standing = otto.context.new_page()
    open_once(standing, "/account/standing/", says="Your account is suspended")
    standing.close()
    otto.get_by_label("What should the picture show?").fill("a pear")
    otto.get_by_role("button", name="Generate").click()
    told = otto.locator("#bench", has_text="Your account is suspended until")
    expect(told).to_be_visible()
    otto.get_by_role("button", name="Sign out").click()
    otto.goto("/accounts/login/")
    otto.get_by_label("Name or email").fill("otto")
    otto.get_by_label("Password").fill(PASSPHRASE)
    otto.locator("main").get_by_role("button", name="Sign in").click()
    expect(otto.locator("h1")).to_have_text("Your account is suspended")
    otto.get_by_role("link", name="Read why, or appeal").click()
    expect(otto.get_by_role("button", name="Lodge the appeal")).to_be_visible()
