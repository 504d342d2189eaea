"""What narrow and dark screens must keep: pictures worth a look, tables in sight, contrast."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage, open_once
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)

SIDEWAYS = """() => [...document.querySelectorAll("main *")]
  .filter((part) => ["auto", "scroll"].includes(getComputedStyle(part).overflowX)
    && part.scrollWidth > part.clientWidth + 1)
  .map((part) => `${part.className} ${part.scrollWidth} > ${part.clientWidth}`)"""

FAINT = """() => {
  const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const linear = (part) => (part / 255 <= 0.04045 ? part / 255 / 12.92
    : ((part / 255 + 0.055) / 1.055) ** 2.4);
  const luminance = ([red, green, blue]) =>
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  const ground = (part) => {
    for (let at = part; at; at = at.parentElement) {
      const colour = numbers(getComputedStyle(at).backgroundColor);
      if (colour.length < 4 || colour[3] === 1) return colour;
    }
    return [255, 255, 255];
  };
  const isText = (part) => part.checkVisibility({ opacityProperty: true })
    && !part.closest(".visually-hidden")
    && [...part.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("main *")].filter(isText).flatMap((part) => {
    const both = [luminance(numbers(getComputedStyle(part).color)), luminance(ground(part))];
    const ratio = (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05);
    return ratio < 4.5 ? [`${part.tagName}.${part.className} ${ratio.toFixed(2)}`] : [];
  });
}"""

DRAWN = "() => new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)))"


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("alice", "/adapters/"),
        ("carol", "/policies/draft/general/"),
        ("olga", "/capacity/"),
    ],
)
def test_no_table_hides_its_columns_on_a_telephone(
    open_page: OpenPage, name: str, path: str
) -> None:
    page = open_page(as_=name, at=path, width=390)
    expect_lists(page)


def test_audits_hide_no_column_on_a_telephone(open_page: OpenPage) -> None:
    expect_picture(generate(open_page(as_="alice"), "a green leaf"))
    page = open_page(as_="dora", at="/audits/lab/", width=390)
    expect_lists(page)
    page.goto("/audits/")
    page.get_by_role("button", name="Make the report").click()
    report = page.get_by_role("link", name=re.compile("Images screened from"))
    open_once(page, "/audits/", says="Images screened from")
    expect_lists(page)
    report.first.click()
    expect(page.get_by_role("heading", name="Primary contrasts")).to_be_visible()
    page.locator("main details").evaluate_all("all => all.forEach(each => each.open = true)")
    expect_lists(page)
    first = page.locator("main tbody tr").first
    expect(first.locator("th").first).to_be_visible()
    label = "cell => getComputedStyle(cell, '::before').content"
    assert first.locator("td").first.evaluate(label) == '"What may be said"'


def test_a_policy_difference_hides_no_column_on_a_telephone(open_page: OpenPage) -> None:
    page = open_page(as_="dora", at="/policies/draft/general/", width=390)
    page.get_by_label("Sexual content").first.fill("0.45")
    page.get_by_label("Why").fill("To read a difference on a telephone.")
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_role("heading", name="What changes")).to_be_visible()
    expect_lists(page)
    for words in ("Before", "After"):
        label = page.locator(f"td[data-label={words}]").first
        expect(label).to_be_visible()
    address = page.url
    page.goto("/policies/")
    expect_lists(page)
    page.goto(address)
    page.get_by_role("button", name="Give it up").click()


def expect_lists(page: Page) -> None:
    """Every table of the page is read without moving it sideways."""
    assert page.locator("main table").count()
    assert page.evaluate(SIDEWAYS) == []


def test_newest_picture_is_as_wide_as_the_telephone_and_refusals_are_short(
    open_page: OpenPage,
) -> None:
    page = open_page(as_="alice", width=390)
    earlier = generate(page, "a brown bear", seed=7)
    expect_picture(earlier)
    newest = generate(page, "a white swan")
    expect_picture(newest)
    refused = generate(page, "a nude woman")
    expect(refused).to_contain_text("The prompt was refused")
    widths = [
        card.locator("img[src*='/file/']").evaluate("image => image.clientWidth")
        for card in (newest, earlier)
    ]
    assert widths[0] > 300
    assert 120 < widths[1] < 200
    expect(refused.locator(".frame")).to_be_hidden()
    expect(refused.get_by_role("link", name="Read why, or appeal")).to_be_visible()


def test_page_of_an_image_has_one_first_action_in_sight(open_page: OpenPage) -> None:
    page = open_page(as_="alice")
    expect_picture(generate(page, "a round pebble"))
    page.goto("/gallery/")
    page.locator(".thumbs a").first.click()
    first = page.locator("main .button-primary")
    expect(first).to_have_text("Download")
    expect(first).to_be_in_viewport(ratio=1)
    for name in ("New seed", "Again", "Vary this picture"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    expect(page.get_by_role("link", name="as WebP")).to_be_visible()


def test_text_keeps_its_contrast_by_day_and_by_night(open_page: OpenPage) -> None:
    """The day's colours turn into the night's by a style sheet alone, so one page shows both."""
    faint: list[str] = []
    for name, paths in (
        (None, ["/", "/accounts/login/", "/accounts/signup/", "/verify/", "/api/docs/"]),
        ("alice", ["/studio/", "/gallery/", "/account/", "/accounts/email/", "/adapters/upload/"]),
        ("bob", ["/review/", "/review/wellbeing/"]),
        ("dora", ["/reports/exports/", "/audits/lab/", "/policies/"]),
    ):
        page = open_page(as_=name, reduced_motion="reduce")
        for path in paths:
            page.goto(path)
            if path == "/api/docs/":
                page.locator(".opblock-summary").first.click()
                expect(page.locator(".opblock-body")).to_be_visible()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                page.evaluate(DRAWN)
                faint += [f"{path} {scheme} {part}" for part in page.evaluate(FAINT)]
    assert faint == []
