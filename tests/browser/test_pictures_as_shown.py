"""What the house looks at is what a person sees: the judge is Chromium."""

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from provenance.pictures import decoder
from tests.browser.conftest import PATIENCE_MS
from tests.provenance.shown_pictures import cases

CASES = cases()
MIMES = {"png": "image/png", "jpg": "image/jpeg", "webp": "image/webp", "avif": "image/avif"}
DRAW = """async source => {
  const image = new Image(); image.src = source; await image.decode();
  const canvas = document.createElement('canvas');
  canvas.width = image.naturalWidth; canvas.height = image.naturalHeight;
  canvas.getContext('2d').drawImage(image, 0, 0);
  return canvas.toDataURL('image/png');
}"""
TYPICAL, MOST = 2.0, 24
"""Steps of 8 bits by which pixels may differ: on the whole, and any one of them. Decoders round
differently, and enlarge the colours of JPEG, WebP and AVIF by filters of their own."""


@pytest.fixture(scope="module")
def canvas(browser: Browser) -> Page:
    page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    return page


@pytest.mark.parametrize("name", CASES)
def test_picture_is_read_as_chromium_shows_it(name: str, canvas: Page) -> None:
    data = CASES[name]
    ours = decoder.read(data).pixels
    mime = MIMES[name.rpartition(".")[2]]
    shown, is_painted = _shown(canvas, data, mime, is_cut=name.startswith("cut"))
    assert ours.shape == shown.shape
    difference = np.abs(ours.astype(int) - shown)[is_painted]
    assert difference.mean() <= TYPICAL
    assert np.percentile(difference, 99) <= MOST


def _shown(page: Page, data: bytes, mime: str, *, is_cut: bool) -> tuple[np.ndarray, np.ndarray]:
    """Chromium's pixels on white, and which of them it painted at all: of a file without its end it
    leaves the last rows out."""
    encoded = page.evaluate(DRAW, f"data:{mime};base64,{base64.b64encode(data).decode()}")
    image = Image.open(io.BytesIO(base64.b64decode(encoded.partition(",")[2]))).convert("RGBA")
    white = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    is_painted = np.ones(image.size[::-1], bool)
    if is_cut:
        is_painted = np.asarray(image.getchannel("A")) > 0
    return np.asarray(white.convert("RGB"), int), is_painted
