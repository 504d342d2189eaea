"""What a picture shares with a record's: its colours count, and its general look alone does not."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.marks import changed_parts, fingerprint, perceptual_match, watermark
from tests.provenance.attacks import jpeg, resized
from tests.provenance.pictures import clear_sky, drawing, photograph

Pixels = NDArray[np.uint8]
EDIT = (slice(150, 330), slice(120, 360))


def in_other_colours(pixels: Pixels, kept: float, shift: int) -> Pixels:
    """As bright everywhere, in other colours."""
    split = cv2.cvtColor(pixels, cv2.COLOR_RGB2YCrCb).astype(np.float32)
    split[..., 1:] = 128 + kept * (split[..., 1:] - 128) + [shift, -shift]
    mixed = np.clip(np.rint(split), 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(mixed, cv2.COLOR_YCrCb2RGB), np.uint8)


def grey(pixels: Pixels) -> Pixels:
    plain = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return np.asarray(np.repeat(plain[..., None], 3, axis=2), np.uint8)


def warmer(pixels: Pixels) -> Pixels:
    return in_other_colours(pixels, 0.6, 14)


def dotted(pixels: Pixels, seed: int) -> Pixels:
    """With small things all over it, elsewhere for each seed."""
    covered, random = pixels.copy(), np.random.default_rng(seed)
    for across, down in random.integers(0, 512, (600, 2)):
        colour = tuple(int(each) for each in random.integers(0, 256, 3))
        cv2.circle(covered, (int(across), int(down)), 3, colour, -1)
    return covered


def test_a_part_in_other_colours_of_the_same_brightness_is_one_changed_part() -> None:
    pixels = photograph("coffee")
    edited = pixels.copy()
    edited[EDIT] = in_other_colours(pixels, 1, 45)[EDIT]
    compared = perceptual_match.compare(
        jpeg(edited, 85), perceptual_match.original_of(pixels), None
    )
    assert compared is not None
    assert compared.is_same
    (part,) = compared.changed
    assert part.left == pytest.approx(120 / 512, abs=0.05)
    assert part.top == pytest.approx(150 / 512, abs=0.05)
    assert part.width == pytest.approx(240 / 512, abs=0.08)
    assert part.height == pytest.approx(180 / 512, abs=0.08)


@pytest.mark.parametrize("filtered", [grey, warmer])
@pytest.mark.parametrize("pixels", [photograph("coffee"), drawing(3)], ids=["seen", "drawn"])
def test_a_filter_over_all_colours_changes_no_part(
    pixels: Pixels, filtered: Callable[[Pixels], Pixels]
) -> None:
    sent = jpeg(resized(filtered(pixels), 0.8), 80)
    compared = perceptual_match.compare(sent, perceptual_match.original_of(pixels), None)
    assert compared is not None
    assert compared.is_same
    assert compared.changed == ()


@pytest.mark.parametrize("seed", [3, 5, 8])
def test_the_same_general_look_with_other_details_is_another_picture(seed: int) -> None:
    record, other = dotted(drawing(seed), 1), dotted(drawing(seed), 2)
    original = perceptual_match.original_of(record)
    bits = fingerprint.distance(fingerprint.pdq(other), original.fingerprint)
    assert bits <= fingerprint.SAME_PICTURE_DISTANCE
    compared = perceptual_match.compare(other, original, None)
    assert compared is None or not compared.is_same


KEY = b"a key of the tests' own, 32 bytes"


def with_the_mark_of(record: Pixels, other: Pixels, strength: int) -> tuple[Pixels, Pixels]:
    """The marked record, and the other picture with its mark copied onto it."""
    marked = watermark.embed(record, 7, key=KEY)
    residual = marked.astype(int) - record
    return marked, np.clip(other + strength * residual, 0, 255).astype(np.uint8)


@pytest.mark.parametrize("strength", [1, 2])
@pytest.mark.parametrize(
    "there", [((400, 130, 40),), ((60, 480, 30), (470, 50, 22))], ids=["one", "two"]
)
def test_the_mark_itself_is_no_detail_that_agrees(
    there: tuple[tuple[int, int, int], ...], strength: int
) -> None:
    marked, forged = with_the_mark_of(clear_sky(((120, 380, 40),)), clear_sky(there), strength)
    found = watermark.detect(forged, key=KEY)
    assert found.identifier == 7
    compared = perceptual_match.compare(forged, perceptual_match.original_of(marked), found)
    assert compared is None or not compared.is_same, "another sky, or too little to tell"


def test_a_sky_without_anything_in_it_is_neither_the_same_nor_another() -> None:
    marked, forged = with_the_mark_of(clear_sky(), np.flipud(clear_sky()), 1)
    found = watermark.detect(forged, key=KEY)
    original = perceptual_match.original_of(marked)
    assert perceptual_match.compare(forged, original, found) is None


def test_a_disc_is_one_part() -> None:
    mask = cv2.circle(np.zeros((128, 128), np.uint8), (70, 60), 24, 1, -1) > 0
    assert len(changed_parts.boxes(np.asarray(mask), bleeding=3)) == 1
