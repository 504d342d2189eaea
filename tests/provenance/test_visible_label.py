"""The label that people can see: drawn under the watermark, legible anywhere, and told of."""

import io
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from provenance.assets import marking
from provenance.log import transparency_log
from provenance.marks import visible_label
from provenance.marks.visible_label import LabelUnusable, Position
from provenance.verify import examination
from tests.provenance.conftest import NOW, SYSTEM
from tests.provenance.pictures import drawing, photograph

TEXT = "AI generated"


def changed(before: np.ndarray, after: np.ndarray) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what differs."""
    rows, columns = np.nonzero(np.abs(before.astype(int) - after).max(axis=2) > 8)
    return columns.min(), rows.min(), columns.max(), rows.max()


@pytest.mark.parametrize("position", Position)
def test_label_stands_in_its_corner(position: Position) -> None:
    pixels = photograph("coffee")
    label = visible_label.checked(TEXT, position)
    left, top, right, bottom = changed(pixels, visible_label.draw(pixels, label))
    height, width = pixels.shape[:2]
    assert (left + right > width) == ("right" in position)
    assert (top > height / 2) == ("bottom" in position)
    assert bottom - top < height / 10
    assert 0 < left < right < width - 1
    assert 0 < top < bottom < height - 1


@pytest.mark.parametrize("grey", [0, 64, 128, 192, 255])
def test_label_is_light_on_dark_on_any_picture(grey: int) -> None:
    plain = np.full((512, 512, 3), grey, np.uint8)
    drawn = visible_label.draw(plain, visible_label.checked(TEXT, "top-left"))
    left, top, right, bottom = changed(plain, drawn)
    patch = drawn[top : bottom + 1, left : right + 1].astype(float).mean(axis=2) / 255
    luminance = np.where(patch <= 0.04045, patch / 12.92, ((patch + 0.055) / 1.055) ** 2.4)
    light, dark = np.quantile(luminance, 0.99), np.quantile(luminance, 0.5)
    assert (light + 0.05) / (dark + 0.05) > 4.5  # WCAG 2.1 AA


@pytest.mark.parametrize("size", [(16, 16), (20, 400), (400, 20), (64, 64), (2000, 300)])
def test_label_fits_every_picture(size: tuple[int, int]) -> None:
    plain = np.full((*size, 3), 200, np.uint8)
    drawn = visible_label.draw(plain, visible_label.checked("x" * 40, "bottom-right"))
    assert drawn.shape == plain.shape
    assert (drawn != plain).any()


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", "top-left"),
        ("  ", "top-left"),
        ("x" * 41, "top-left"),
        (TEXT, "middle"),
        ("猫", "top-left"),
        ("AI 生成 é", "top-left"),
        ("a\nb", "top-left"),
        ("\u202e", "top-left"),
    ],
)
def test_label_that_cannot_be_drawn_is_refused(text: str, position: str) -> None:
    with pytest.raises(LabelUnusable):
        visible_label.checked(text, position)


@pytest.mark.parametrize(
    "text", ["AI generated", "KI-generiert", "Généré par IA", "Genererad av AI"]
)
def test_label_speaks_languages_with_latin_letters(text: str) -> None:
    assert visible_label.checked(text, "top-left").text == text


@pytest.mark.parametrize(
    "text",
    [
        "人工智能生成",
        "AI生成",
        "人工智能合成",
        "AI로 생성됨",
        "인공지능 생성물",
        "AIによる生成画像",
    ],
)
def test_label_speaks_the_languages_whose_law_asks_for_it(text: str) -> None:
    label = visible_label.checked(text, "bottom-right")
    drawn = visible_label.draw(np.full((512, 512, 3), 200, np.uint8), label)
    blank = visible_label.draw(
        np.full((512, 512, 3), 200, np.uint8), visible_label.checked("· " * 2, "bottom-right")
    )
    assert (drawn != blank).any()


@pytest.mark.parametrize("side", [256, 512, 1024])
def test_label_in_chinese_is_a_twentieth_of_the_shorter_side_high(side: int) -> None:
    plain = np.full((side, 2 * side, 3), 200, np.uint8)
    drawn = visible_label.draw(plain, visible_label.checked("人工智能生成", "top-left"))
    _, top, right, bottom = changed(plain, drawn)
    light = drawn[top : bottom + 1, right // 2 : right + 1].min(axis=2) > 240
    rows = np.nonzero(light.any(axis=1))[0]
    assert rows.max() - rows.min() + 1 >= side / 20


@pytest.mark.django_db
@pytest.mark.parametrize("picture", ["photograph", "drawing"])
def test_labelled_picture_is_marked_over_its_label_and_says_so(picture: str) -> None:
    pixels = photograph("coffee") if picture == "photograph" else drawing(2, 512)
    asset_id, label = uuid4(), visible_label.checked(TEXT, "bottom-right")
    marked = marking.embed(pixels, asset_id=asset_id, label=label)
    sealed = marking.seal(marked, asset_id=asset_id, created_at=NOW, system=SYSTEM)
    marking.record(sealed, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    with Image.open(io.BytesIO(marked.png)) as seen:  # what the screening looks at
        difference = np.asarray(seen).astype(float) - visible_label.draw(pixels, label)
    assert 10 * np.log10(255**2 / np.mean(difference**2)) > 38
    report = examination.check(sealed.data, at=NOW)
    assert report.is_ours
    assert report.watermark.verdict == "found_good"
    assert report.manifest.visible_label == TEXT
    assert marking.embed(pixels, asset_id=asset_id).label is None
