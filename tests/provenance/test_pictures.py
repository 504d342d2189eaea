"""Files from strangers: each oddity has its own answer, and nothing gets through as a crash."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from provenance import pictures
from tests.provenance.files import converted, refused, saved, turned_jpeg
from tests.provenance.pictures import photograph

REFUSED, CONVERTED = refused(), converted()


@pytest.mark.parametrize("name", REFUSED)
def test_read_refuses_by_name(name: str) -> None:
    data, code, status = REFUSED[name]
    with pytest.raises(pictures.PictureUnreadable) as refusal:
        pictures.read(data)
    assert (refusal.value.code, refusal.value.status) == (code, status)


@pytest.mark.parametrize("name", CONVERTED)
def test_read_converts_and_says_so(name: str) -> None:
    data, word = CONVERTED[name]
    picture = pictures.read(data)
    assert word in " ".join(picture.notes)
    assert picture.pixels.dtype == np.uint8
    assert picture.pixels.shape[2] == 3


def test_turned_picture_comes_upright() -> None:
    assert pictures.read(turned_jpeg()).pixels.shape == (128, 64, 3)


def test_deep_picture_keeps_its_shades() -> None:
    pixels = pictures.read(CONVERTED["deep_grey.png"][0]).pixels
    assert int(pixels.max()) > 200
    assert int(pixels.min()) < 10


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_lossless_picture_round_trips(kind: str) -> None:
    pixels = photograph("coffee", 128)
    picture = pictures.read(saved(pixels, kind, lossless=True))
    assert (picture.pixels == pixels).all()
    assert picture.notes == ()


def test_transparent_ground_is_white() -> None:
    data = saved(Image.new("RGBA", (32, 32), (0, 0, 0, 0)), "PNG")
    assert (pictures.read(data).pixels == 255).all()


@given(st.sampled_from(["PNG", "JPEG", "WEBP"]), st.data())
def test_any_damage_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    file = bytearray(saved(photograph("coffee", 128), kind))
    for _ in range(data.draw(st.integers(1, 8))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        pictures.read(bytes(file))
    except pictures.PictureUnreadable:
        return
