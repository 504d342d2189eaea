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


def test_a_passkey_is_added_and_asked_for_at_the_next_sign_in(
    open_page: OpenPage, house: House
) -> None:
    """Browsers know no passkeys of an address in figures, so the house is called by its name."""
    page, url = open_page(width=390), house.url.replace("127.0.0.1", "localhost")
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "usb", "hasResidentKey": False}
    key |= {"hasUserVerification": True, "isUserVerified": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": key})
    sign_up(page, "pia", house=url)
    page.goto(f"{url}/accounts/2fa/")
    page.get_by_role("link", name="Add a passkey").click()
    prove_again(page)
    page.get_by_role("button", name="Add it").click()
    expect(page.locator("main")).to_contain_text("10 are left")
    page.goto(f"{url}/accounts/2fa/webauthn/")
    expect(page.get_by_role("link", name="Rename")).to_be_visible()

    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Name or email").fill("pia")
    page.get_by_label("Password").fill(PASSPHRASE)
    page.locator("main").get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url("**/studio/")


def test_a_key_is_made_and_shown_once(open_page: OpenPage) -> None:
    page = open_page(width=390)
    sign_up(page, "kim")
    page.goto("/account/")
    page.get_by_role("link", name="API keys").click()
    page.get_by_label("Name").fill("my script")
    page.get_by_role("button", name="Make a key").click()
    prove_again(page)
    expect(page.locator("#new-key")).to_contain_text("ps_key_")
    page.goto("/account/keys/")
    expect(page.locator("#new-key")).to_have_count(0)
    page.get_by_role("button", name="Revoke my script").click()
    expect(page.locator("main")).to_contain_text("No keys yet")
