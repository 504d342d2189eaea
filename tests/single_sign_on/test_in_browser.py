"""A person's way in Chromium: to the provider and back, through the house's content policy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

from tests.browser.conftest import CHROMIUM, NO_CHROMIUM
from tests.single_sign_on.conftest import Provider

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def chromium(width: int = 1280) -> Iterator[tuple[Page, list[str]]]:
    """A page, and what it complained of. Closed before the test's own calls of the database, which
    Playwright's loop must not meet."""
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(NO_CHROMIUM)
    complaints: list[str] = []
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu"]
        browser = playwright.chromium.launch(executable_path=found, args=flags)
        page = browser.new_page(viewport={"width": width, "height": 860})
        page.set_default_timeout(60_000)
        page.on(
            "console", lambda line: complaints.append(line.text) if line.type == "error" else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page, complaints
        browser.close()


def test_a_moderator_comes_in_through_the_provider_and_to_the_desk(
    provider: Provider, live_server: LiveServer
) -> None:
    provider.knows("nora", groups=["pf-moderators"])
    with chromium() as (page, complaints):
        page.goto(f"{live_server.url}/accounts/login/?next=/review/")
        page.get_by_role("button", name="Sign in with Corp").click()
        page.wait_for_url(f"{provider.issuer}/**")
        page.locator("input[name=sub]").first.fill("nora")
        page.locator("button", has_text="Authorize").first.click()
        page.wait_for_url("**/review/")
        assert page.locator("header").get_by_role("link", name="nora").is_visible()
        assert not [each for each in complaints if "Content Security Policy" in each]
    assert User.objects.get(username="nora").groups.get().name == "moderators"
