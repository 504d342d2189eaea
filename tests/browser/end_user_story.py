"""A product's end user is refused, appeals without an account and is right, while the product's
own receiver is told of each step. How the product asks, and checks what it is told, comes from
outside, so that the same story is played with the libraries that products use.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
from playwright.sync_api import Page, expect

from tests.browser.conftest import OpenPage
from tests.browser.test_account import prove_again
from tests.webhooks.receivers import Received, Receiver

REFUSED = "a nude woman in a park"
END_USER = "eve@shop.example"
TOLD = {
    "generation.refused",
    "appeal.received",
    "appeal.decided",
    "decision.overturned",
    "generation.released",
    "generation.succeeded",
}


@dataclass(frozen=True)
class Product:
    """A program of somebody's: its key, and the secret that its events are signed with."""

    page: Page
    house: str
    key: str
    secret: str

    def picture(self, request_url: str) -> bytes:
        """What was made of a request, fetched with the key alone."""
        headers = {"Authorization": f"Bearer {self.key}"}
        made = httpx.get(request_url, headers=headers, timeout=60).json()
        assert made["status"] == "finished", made
        return httpx.get(made["images"][0]["file_url"], headers=headers, timeout=60).content


# the product asks in the end user's name; answers what it shows that person
Ask = Callable[[Product, str], str]
# the secret, the headers and the body as they came; answers the event's type, or raises
Check = Callable[[str, dict[str, str], bytes], str]


def set_up(owner: Page, receiver: Receiver, *, house: str) -> Product:
    """With clicks: a project, its key, and its webhook, whose secret is shown once."""
    owner.goto("/projects/")
    owner.get_by_label("Name").fill("Shop")
    owner.get_by_label("Organisation").fill("Shop Ltd")
    owner.get_by_role("button", name="Make a project").click()
    expect(owner.locator("h1")).to_have_text("Shop")
    project = owner.url
    form = owner.locator("form", has=owner.get_by_role("heading", name="Make a key"))
    form.get_by_label("Name").fill("the shop's server")
    for scope in ("read", "generate"):
        form.locator(f"input[value='{scope}']").check()
    form.get_by_role("button", name="Make a key").click()
    prove_again(owner)
    key = owner.locator("#new-key").inner_text()
    owner.goto(project)
    owner.get_by_role("link", name="Webhooks").click()
    secret = add_endpoint(owner, receiver.url)
    return Product(owner, house, key, secret)


def add_endpoint(page: Page, url: str) -> str:
    """On the page of a project's webhooks; the secret."""
    page.get_by_label("Address").fill(url)
    page.get_by_role("button", name="Add it").click()
    secret = page.locator("#new-secret").inner_text()
    assert secret.startswith("whsec_")
    return secret


def wait_for(page: Page, receiver: Receiver, types: set[str]) -> dict[str, Received]:
    """Until one of each has come; the order is not promised."""
    for _ in range(240):
        told = {json.loads(each.body)["type"]: each for each in list(receiver.received)}
        if types <= told.keys():
            return told
        page.wait_for_timeout(500)
    raise AssertionError(f"of {sorted(types)} came {sorted(told)}")


def play(open_page: OpenPage, product: Product, receiver: Receiver, ask: Ask, check: Check) -> None:
    """The whole of it."""
    shown = ask(product, REFUSED)
    assert "nudity" in shown
    address = next(word for word in shown.split() if "/r/" in word)
    refused = json.loads(
        wait_for(product.page, receiver, {"generation.refused"})["generation.refused"].body
    )["data"]
    assert refused["notice_url"] == address

    eve = open_page(width=390)
    _appeal(eve, address)
    wait_for(product.page, receiver, {"appeal.received"})
    _grant(open_page(as_="carol"))

    told = wait_for(product.page, receiver, TOLD)
    _is_there(eve, address)
    assert product.picture(refused["url"]).startswith(b"\x89PNG")
    for name, each in told.items():
        assert check(product.secret, each.headers, each.body) == name
        assert REFUSED not in each.body.decode()
        assert END_USER not in each.body.decode()
    concerned = {json.loads(told[name].body)["data"]["end_user_id"] for name in TOLD}
    assert len(concerned) == 1
    assert json.loads(told["appeal.decided"].body)["data"]["state"] == "reversed"


def _appeal(eve: Page, address: str) -> None:
    """Two clicks from what she was shown, as somebody without an account."""
    eve.set_content(f'<a href="{address}">Why, and what to do about it</a>')
    eve.get_by_role("link").click()
    expect(eve.locator("h1")).to_have_text("Your prompt was refused")
    expect(eve.locator("main")).not_to_contain_text(REFUSED)
    eve.get_by_role("button", name="Lodge the appeal").click()
    expect(eve.locator("#receipt")).to_have_text("Your appeal")
    assert eve.context.cookies() == []


def _grant(carol: Page) -> None:
    """The newest appeal that waits for her."""
    carol.goto("/appeals/")
    carol.locator("section:has(#to-hear) tbody").get_by_role("link").last.click()
    expect(carol.locator("main")).to_contain_text(REFUSED)
    carol.get_by_label("Reverse: the decision was wrong, allow it").check()
    carol.get_by_label("Reasons").fill("A statue in a public park.")
    carol.get_by_role("button", name="Conclude the appeal").click()
    expect(carol.locator("#messages")).to_contain_text("Decision reversed")


def _is_there(eve: Page, address: str) -> None:
    """Outcome, reasons and picture."""
    eve.goto(address)
    expect(eve.locator("main")).to_contain_text("A statue in a public park.")
    picture = eve.get_by_alt_text("Picture 1 that was made")
    expect(picture).to_be_visible()
    loaded: Any = picture.evaluate("image => image.complete && image.naturalWidth")
    assert loaded > 0
