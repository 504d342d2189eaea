"""The watermark: unseen, found again after what the world does, and never where it is not."""

from itertools import islice, product

import cv2
import numpy as np
import pytest

from provenance.marks import (
    convolutional_code,
    grid_search,
    perceptual_match,
    watermark,
    watermark_pattern,
)
from tests.provenance.attacks import ATTACKS, cropped, jpeg, resized
from tests.provenance.pictures import PHOTOGRAPHS, drawing, photograph, tiled_wall

KEY = b"a key for tests of thirty-two by"
IDENTIFIER = 0x0123456789ABCDEF
SURE: tuple[str, ...] = ("none", "jpeg_70", "resize_50", "crop_10", "rotate_10", "mirror")
SURE += ("rotate_90", "brightness_130", "cropped_screenshot", "full_screenshot")


def marked(kind: str) -> np.ndarray:
    pixels = photograph("coffee") if kind == "photograph" else drawing(3)
    return watermark.embed(pixels, IDENTIFIER, key=KEY)


@pytest.mark.parametrize("kind", ["photograph", "drawing"])
@pytest.mark.parametrize("name", SURE)
def test_identifier_survives(kind: str, name: str) -> None:
    found = watermark.detect(ATTACKS[name](marked(kind)), key=KEY)
    assert (found.verdict, found.identifier) == ("found", IDENTIFIER)


@pytest.mark.parametrize("kind", ["photograph", "drawing"])
@pytest.mark.parametrize(("across", "down"), [(1.0, 0.75), (0.7, 1.0), (800 / 512, 450 / 512)])
def test_identifier_survives_one_side_stretched(kind: str, across: float, down: float) -> None:
    found = watermark.detect(jpeg(resized(marked(kind), across, down), 80), key=KEY)
    assert found.identifier == IDENTIFIER
    assert found.geometry is not None
    assert found.geometry.stretch == pytest.approx(down / across, rel=0.01)


@pytest.mark.parametrize("period", [8, 12, 16, 19, 24, 32, 48, 64, 96])
@pytest.mark.parametrize("turns", [0, 1])
def test_identifier_is_read_from_what_repeats_by_itself(period: int, turns: int) -> None:
    """A wall of tiles of 32 pixels adds up as the mark's own tile of 96 does."""
    wall = watermark.embed(tiled_wall(period), IDENTIFIER, key=KEY)
    sent_on = jpeg(np.ascontiguousarray(np.rot90(wall, turns)), 75)
    assert watermark.detect(sent_on, key=KEY).identifier == IDENTIFIER


def test_what_repeats_by_itself_holds_no_mark() -> None:
    walls = [tiled_wall(period) for period in (8, 16, 24, 32, 48, 96)]
    assert {watermark.detect(wall, key=KEY).verdict for wall in walls} == {"not_found"}


def test_average_of_many_marked_pictures_does_not_take_the_mark_away() -> None:
    """One pattern for all would fall to this: what 40 residuals have in common, subtracted."""
    sources = [drawing(number) for number in range(8)]
    many = [watermark.embed(sources[n % 8], n, key=KEY).astype(np.float32) for n in range(40)]
    common = np.mean([each - cv2.GaussianBlur(each, (0, 0), 3) for each in many], axis=0)
    common *= 4.0 / np.sqrt(np.mean(common**2))
    victim = np.clip(marked("photograph") - common, 0, 255).astype(np.uint8)
    assert watermark.detect(victim, key=KEY).identifier == IDENTIFIER


@pytest.mark.parametrize("side", [64, 200, 333, 512, 1024, 1500])
def test_pictures_of_every_size_come_back_the_same_shape(side: int) -> None:
    pixels = photograph("coffee", side)[: side * 3 // 4]
    out = watermark.embed(pixels, IDENTIFIER, key=KEY)
    assert out.shape == pixels.shape
    assert out.dtype == np.uint8
    if side >= 333:
        assert watermark.detect(out, key=KEY).identifier == IDENTIFIER


@pytest.mark.parametrize("name", ["astronaut", "rocket", "coins"])
def test_mark_stays_below_what_is_seen(name: str) -> None:
    pixels = photograph(name)
    difference = watermark.embed(pixels, 7, key=KEY).astype(float) - pixels
    assert 10 * np.log10(255**2 / np.mean(difference**2)) >= 42.0
    assert np.abs(difference @ watermark.LUMA).max() <= 20


@pytest.mark.parametrize("pixels", [photograph("moon"), drawing(1), drawing(4)])
def test_unmarked_picture_has_no_identifier(pixels: np.ndarray) -> None:
    assert watermark.detect(pixels, key=KEY).identifier is None


def test_little_is_looked_at_twice_where_there_is_no_mark() -> None:
    """Four lattices of each picture could be: only a few of them are climbed."""
    keys = [KEY, b"another key", b"and a third one"]
    wanted = [grid_search.syncs(watermark_pattern.sets(key)) for key in keys]
    looked_at = [
        cv2.cvtColor(photograph(name), cv2.COLOR_RGB2GRAY).astype(np.float32)
        for name in PHOTOGRAPHS
    ]
    plain = len(looked_at) * len(keys)
    found = sum(
        len(list(grid_search.alignments(luma, syncs))) for luma, syncs in product(looked_at, wanted)
    )
    assert found - plain <= 4 * plain / 3


def test_mark_of_another_key_is_not_found() -> None:
    assert watermark.detect(marked("photograph"), key=b"another key").identifier is None


@pytest.mark.parametrize("side", [16, 40, 90])
def test_tiny_pictures_are_looked_at_without_harm(side: int) -> None:
    assert watermark.detect(photograph("coffee", side), key=KEY).identifier is None


@pytest.mark.parametrize("value", [0, 255])
def test_blank_pictures_are_looked_at_without_harm(value: int) -> None:
    blank = np.full((300, 400, 3), value, np.uint8)
    assert watermark.detect(blank, key=KEY).identifier is None


def test_code_corrects_any_four_wrong_bits() -> None:
    """The free distance of this code is 10, so that many are always corrected."""
    random = np.random.default_rng(1)
    for _ in range(20):
        message = random.integers(0, 2, 80).astype(np.uint8)
        soft = 2.0 * convolutional_code.encode(message).astype(np.float32) - 1
        soft[random.choice(len(soft), 4, replace=False)] *= -1
        assert (convolutional_code.decode(soft) == message).all()


def test_tile_round_trips_in_every_orientation() -> None:
    patterns = watermark_pattern.patterns_for(IDENTIFIER, KEY)
    plane = watermark_pattern.write(IDENTIFIER, KEY)
    for number, turned in enumerate(watermark_pattern.orientations(plane)):
        reading = watermark_pattern.read(watermark_pattern.upright(turned, number), patterns)
        assert (reading.identifier, reading.is_checked) == (IDENTIFIER, True)


@pytest.mark.parametrize(("width", "height"), [(512, 512), (512, 320), (1024, 683)])
def test_tile_of_an_upright_picture_is_folded_upon_its_own_pixels(width: int, height: int) -> None:
    """Half a pixel beside, the finest of the mark is lost, and with it plain photographs."""
    grey = np.full((height, width, 3), 128, np.uint8)
    luma = watermark.embed(grey, IDENTIFIER, key=KEY)[..., 1].astype(np.float32)
    wanted = grid_search.syncs([watermark_pattern.patterns_for(IDENTIFIER, KEY)])
    whole = list(islice(grid_search.alignments(luma, wanted), 2))
    tile = max(whole, key=lambda each: each.sync).tile
    written = watermark_pattern.write(IDENTIFIER, KEY)
    assert np.corrcoef(tile.ravel(), written.ravel())[0, 1] > 0.9


LOOKS = {name: ATTACKS[name] for name in ("crop_30", "rotate_10", "full_screenshot", "mirror")}
LOOKS["stretched"] = lambda pixels: resized(cropped(pixels, 0.1), 1.2, 0.8)


@pytest.mark.parametrize("name", LOOKS)
def test_likeness_is_found_after_undoing_the_geometry(name: str) -> None:
    pixels = marked("photograph")
    attacked = LOOKS[name](pixels)
    original = perceptual_match.original_of(pixels)
    other = perceptual_match.original_of(photograph("astronaut"))
    detection = watermark.detect(attacked, key=KEY)
    same, different = (
        perceptual_match.compare(attacked, each, detection) for each in (original, other)
    )
    assert same is not None
    assert (same.is_same, same.changed) == (True, ())
    assert same.distance <= 31
    assert different is not None
    assert not different.is_same
    assert different.distance > 50
