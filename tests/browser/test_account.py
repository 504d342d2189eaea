"""The doors: signing in, a second factor, and what they say, in the house's own words."""

from __future__ import annotations

import time

import pytest
from allauth.mfa.totp.internal import auth
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, House, OpenPage, sign_in
from tests.browser.test_story import PASSPHRASE, sign_up

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)


def code_of(secret: str) -> str:
    """What an authenticator app shows now: RFC 6238 with periods of 30 s."""
    code: str = auth.format_hotp_value(auth.hotp_value(secret, int(time.time()) // 30))
    return code


def test_signing_in_leads_to_the_studio_and_pushes_nothing_down(
    open_page: OpenPage, house: House
) -> None:
    page = open_page()
    sign_in(page, "alice", house.passwords["alice"])
    expect(page.locator("#messages")).to_be_hidden()
    expect(page.locator(".masthead")).to_contain_text("alice")


def test_wrong_password_and_used_link_say_what_to_do(open_page: OpenPage) -> None:
    page = open_page(width=390)
    page.goto("/accounts/login/")
    page.get_by_label("Name or email").fill("alice")
    page.get_by_label("Password").fill("not hers")
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_in_viewport()
    page.goto("/accounts/password/reset/key/1-abc/")
    expect(page.get_by_role("heading", level=1)).to_have_text("This link is used up")
    page.get_by_role("link", name="Mail me a new link").click()
    expect(page.get_by_role("button", name="Mail me the link")).to_be_visible()


def test_second_factor_is_set_up_asked_for_and_turned_off(open_page: OpenPage) -> None:
    page = open_page()
    sign_up(page, "tessa")
    page.goto("/accounts/2fa/")
    page.get_by_role("link", name="Set it up").click()
    prove_again(page)
    secret = page.locator(".facts code").inner_text()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.locator("main")).to_contain_text("10 are left")
    recovery = page.locator(".codes code").first.inner_text()

    page.get_by_role("button", name="Sign out").click()
    page.goto("/accounts/login/")
    page.get_by_label("Name or email").fill("tessa")
    page.get_by_label("Password").fill(PASSPHRASE)
    page.locator("main").get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your code")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.locator("main .error")).to_be_visible()
    page.get_by_label("Code").fill(recovery)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/studio/")

    page.goto("/accounts/2fa/")
    expect(page.locator("main")).to_contain_text("9 left")
    page.get_by_role("link", name="Turn it off").click()
    prove_again(page)
    page.get_by_role("button", name="Turn it off").click()
    expect(page.get_by_role("link", name="Set it up")).to_be_visible()


def prove_again(page: Page) -> None:
    """The page that asks once more for the password, where one signed in a while ago."""
    if page.get_by_role("heading", name="Is it you?").count():
        page.get_by_label("Password").fill(PASSPHRASE)
        page.get_by_role("button", name="It is me").click()
