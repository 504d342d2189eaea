"""An audit by compliance, click by click: run, report, files, decision; a threshold moved."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
RUN_MS = 180_000  # sixteen pictures on two busy cores


def start_first_look(page: Page) -> None:
    page.goto("/audits/")
    page.get_by_role("link", name="Audit a suite").click()
    page.get_by_label("A first look").check()
    page.get_by_role("button", name="Start the run").click()
    expect(page.get_by_role("heading", name="Run of first-look")).to_be_visible()


def download(page: Page, name: str, folder: Path) -> bytes:
    with page.expect_download() as downloading:
        page.get_by_role("link", name=name, exact=True).click()
    file = folder / name
    downloading.value.save_as(file)
    return file.read_bytes()


def test_run_is_watched_stopped_carried_on_read_and_decided_on(
    open_page: OpenPage, tmp_path: Path
) -> None:
    """Also without a script: the page then loads itself again until the run is done."""
    page = open_page(as_="dora")
    plain = open_page(as_="dora", java_script_enabled=False, width=390)
    start_first_look(page)
    run = page.url
    bar = page.get_by_role("progressbar", name="Rendered and screened")
    expect(bar).to_have_attribute("max", "16")
    expect(page.get_by_text("of 16 rendered and screened")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("heading", name="Stopped")).to_be_visible()
    expect(page.get_by_text("Stopped by dora.")).to_be_visible()
    page.get_by_role("button", name="Carry on").click()
    plain.goto(run)
    expect(plain.get_by_role("link", name="Read the report")).to_be_visible(timeout=RUN_MS)
    page.get_by_role("link", name="Read the report").click(timeout=RUN_MS)

    expect(page.get_by_role("heading", name="Findings")).to_be_visible()
    expect(page.locator("main")).to_contain_text("insufficient data")
    expect(page.locator("main")).not_to_contain_text("nan")
    for figure in page.locator("main img").all():
        figure.scroll_into_view_if_needed()
        expect(figure).to_have_js_property("complete", True)
        assert figure.evaluate("image => image.naturalWidth") > 0
    digests = page.locator("main dl code").all_inner_texts()
    assert download(page, "report.pdf", tmp_path).startswith(b"%PDF")
    rows = download(page, "report.csv", tmp_path)
    assert hashlib.sha256(rows).hexdigest() in digests

    page.get_by_label("Responsible person").fill("Dora Maar")
    page.get_by_label("Decision, and why").fill("No change: sixteen pictures say nothing.")
    page.get_by_role("button", name="Record it").click()
    expect(page.locator("main")).to_contain_text("Responsible: Dora Maar")
    assert download(page, "decisions.pdf", tmp_path).startswith(b"%PDF")
    assert page.locator("main dl code").all_inner_texts() == digests


def test_threshold_moved_in_the_lab_becomes_a_proposed_policy(open_page: OpenPage) -> None:
    alice, dora, carol = (open_page(as_=name) for name in ("alice", "dora", "carol"))
    expect_picture(generate(alice, "a red apple", seed=5))
    dora.goto("/audits/lab/")
    expect(dora.get_by_text("Scores replayed", exact=True)).to_be_visible()
    dora.get_by_label("Threshold").fill("0.4")
    dora.get_by_role("button", name="Replay").click()
    expect(dora.get_by_role("heading", name="From 0.5 to 0.4")).to_be_visible()
    dora.get_by_label("Why").fill("A lower threshold, to see what a second person says to it.")
    dora.get_by_role("button", name="Propose").click()
    expect(dora.locator("main")).to_contain_text("Proposed")
    expect(dora.get_by_text("Scores replayed", exact=True)).to_be_visible()

    carol.goto(dora.url)
    expect(carol.get_by_text("Scores replayed", exact=True)).to_be_visible()
    expect(carol.get_by_role("button", name="Put it in force")).to_be_visible()
    carol.get_by_role("button", name="Give it up").click()
