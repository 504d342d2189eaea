"""An adapter from the upload to the picture, in a real browser."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Page, expect

from generation.starter.layout import ADAPTERS
from tests.adapters.files import as_kohya, write
from tests.browser.conftest import PATIENCE_MS, OpenPage
from tests.browser.test_newcomer import expect_picture, generate

pytestmark = pytest.mark.browser
expect.set_options(timeout=PATIENCE_MS)
SHIPPED = "Twemoji"


def upload(page: Page, file: Path, **fields: str) -> None:
    page.goto("/adapters/upload/")
    page.locator("input[type=file]").set_input_files(file)
    for label, text in fields.items():
        page.get_by_label(label).fill(text)
    page.get_by_role("button", name="Upload and check").click()


def picture(page: Page, *, adapter: str = "", weight: str = "") -> NDArray[np.int16]:
    """The pixels of "a red apple" with seed 7; delivered, so each with a watermark of its own."""
    page.goto("/studio/")
    page.locator("summary", has_text="Model, seed and more").click()
    page.get_by_label("Seed").fill("7")
    if adapter:
        page.get_by_label(adapter, exact=True).fill(weight)
    card = generate(page, "a red apple")
    expect_picture(card)
    source = card.locator("img[src*='/file/']").get_attribute("src")
    assert source is not None
    data = page.request.get(source).body()
    return np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(np.int16)


def difference(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """Mean over the pixels, in steps of 255."""
    return float(np.abs(one - other).mean())


def test_uploaded_adapter_changes_the_picture_and_at_weight_0_it_does_not(
    open_page: OpenPage, tmp_path: Path
) -> None:
    """The shipped adapter in kohya's naming: another file, that must draw the same picture.

    Two deliveries of one picture differ by their watermarks alone; that the pixels before it are
    the same byte for byte is shown in tests/adapters/test_rendering.py.
    """
    file = write(tmp_path / "ink.safetensors", as_kohya(ADAPTERS / "twemoji.safetensors"))
    page = open_page(as_="alice")
    upload(page, file, Name="Ink by hand")
    expect(page.get_by_role("heading", name="Ink by hand")).to_be_visible()
    expect(page.locator("main")).to_contain_text("It fits.")

    bare, again = picture(page), picture(page)
    watermarks = difference(bare, again)
    assert watermarks > 0
    worn = picture(page, adapter="Ink by hand", weight="1")
    assert difference(bare, worn) > 5 * watermarks
    assert difference(picture(page, adapter="Ink by hand", weight="0"), bare) < 2 * watermarks
    assert difference(picture(page, adapter=SHIPPED, weight="1"), worn) < 2 * watermarks


def test_same_file_again_leads_to_the_adapter_and_says_so(
    open_page: OpenPage, tmp_path: Path
) -> None:
    file = write(tmp_path / "twin.safetensors", as_kohya(ADAPTERS / "fluent-3d.safetensors"))
    page = open_page(as_="alice")
    upload(page, file, Name="Clay twin")
    expect(page.locator("main")).to_contain_text("It fits.")
    upload(page, file, Name="Another name")
    expect(page.get_by_role("heading", name="Clay twin")).to_be_visible()
    expect(page.locator("#messages")).to_contain_text("You uploaded this very file before")


def test_refused_file_is_answered_with_a_report_and_can_be_removed(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(as_="alice")
    upload(page, write(tmp_path / "old.ckpt", b"\x80\x04 nothing that anybody should unpickle"))
    expect(page.locator("main")).to_contain_text("It does not fit.")
    expect(page.locator("main")).to_contain_text("weights_only=True")
    page.locator("summary", has_text="Remove it").click()
    page.get_by_role("button", name="Remove").click()
    expect(page.locator("#messages")).to_contain_text("Removed, and its file erased.")
    expect(page.get_by_role("heading", name="old", exact=True)).to_have_count(0)
