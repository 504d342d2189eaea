"""The watermark: unseen, found again after what the world does, and never where it is not."""

from functools import partial
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


def test_average_of_fifty_marked_pictures_holds_nothing_of_another() -> None:
    """Not the four sync patterns either, for they lie elsewhere in each: laid over a picture with
    all the energy of a mark, it neither takes a mark away nor leaves a trace of one.
    """
    sources = [drawing(number) for number in range(10)]
    residuals = [watermark.embed(sources[n % 10], n, key=KEY) - 1.0 * sources[n % 10]
                 for n in range(50)]  # fmt: skip
    common = np.mean(residuals, axis=0)
    common *= 255 / 10 ** (watermark.LEAST_PSNR_DB / 20) / np.sqrt(np.mean(common**2))
    victims = [photograph("coffee"), photograph("astronaut"), drawing(11), drawing(12)]
    for number, victim in enumerate(victims, 70):
        wiped = watermark.embed(victim, number, key=KEY) - common
        assert watermark.detect(_of_bytes(wiped), key=KEY).identifier == number
        strewn = _of_bytes(victim + common)
        assert watermark.detect(strewn, key=KEY) == watermark.Detection("not_found", 0.0)
        for alignment in _alignments(strewn):
            assert alignment.sync < watermark.FOUND_SYNC + 1


def _of_bytes(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(np.clip(np.rint(pixels), 0, 255), np.uint8)


def _alignments(pixels: np.ndarray) -> list[grid_search.Alignment]:
    luma = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return list(grid_search.alignments(luma, grid_search.syncs(watermark_pattern.sets(KEY))))


@pytest.mark.parametrize("number", range(8))
def test_geometry_is_the_same_wherever_the_tile_lies(
    number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pictures that were marked when it lay the same in all are read as ever, too."""
    pixels = photograph("coffee")
    placed = [watermark.embed(pixels, identifier, key=KEY) for identifier in range(5)]
    fixed = partial(watermark_pattern.write, scheme="fixed")
    monkeypatch.setattr(watermark_pattern, "write", lambda name, key: fixed(name, key))
    before = watermark.embed(pixels, 7, key=KEY)
    monkeypatch.undo()
    sides = [each[:, ::-1] if number >= 4 else each for each in (before, *placed)]
    read = [watermark.detect(np.rot90(each, number % 4)[9:, 14:], key=KEY) for each in sides]
    assert [each.identifier for each in read] == [7, *range(5)]
    first = read[0].geometry
    assert first is not None
    assert (first.is_mirrored, first.quarter_turns) == (number >= 4, number % 4)
    assert [each.geometry for each in read] == [first] * len(read)


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
    plane = watermark_pattern.write(IDENTIFIER, KEY, "fixed")
    for number, turned in enumerate(watermark_pattern.orientations(plane)):
        reading = watermark_pattern.read(watermark_pattern.upright(turned, number), patterns)
        assert (reading.identifier, reading.scheme) == (IDENTIFIER, "fixed")


@pytest.mark.parametrize(("width", "height"), [(512, 512), (512, 320), (1024, 683)])
def test_tile_of_an_upright_picture_is_folded_upon_its_own_pixels(width: int, height: int) -> None:
    """Half a pixel beside, the finest of the mark is lost, and with it plain photographs."""
    grey = np.full((height, width, 3), 128, np.uint8)
    luma = watermark.embed(grey, IDENTIFIER, key=KEY)[..., 1].astype(np.float32)
    wanted = grid_search.syncs([watermark_pattern.patterns_for(IDENTIFIER, KEY)])
    whole = list(islice(grid_search.alignments(luma, wanted), 2))
    tile = max(whole, key=lambda each: each.sync).tile
    place = watermark_pattern.placing(IDENTIFIER, KEY, "placed")
    moved = np.roll(watermark_pattern.write(IDENTIFIER, KEY), (-place.row, -place.column), (0, 1))
    written = watermark_pattern.upright(moved, place.orientation)
    assert np.corrcoef(tile.ravel(), written.ravel())[0, 1] > 0.9


def test_what_was_pasted_over_says_less_when_tiles_are_weighed() -> None:
    """Two thirds of a picture are laid over with noise of the mark's own frequencies."""
    pixels = watermark.embed(photograph("coffee"), IDENTIFIER, key=KEY)
    noise = np.random.default_rng(5).normal(0, 60, (512, 512, 3))
    rough = cv2.GaussianBlur(noise, (0, 0), 1.2).astype(np.float32)
    pasted = pixels.astype(np.float32)
    pasted[:, 170:] = 128 + rough[:, 170:]
    patterns = watermark_pattern.patterns_for(IDENTIFIER, KEY)
    found = max(_alignments(_of_bytes(pasted)), key=lambda each: each.sync)
    plain, weighed = (
        watermark_pattern.read_plainly(tile, patterns).agreement
        for tile in (found.tile, found.weighed())
    )
    assert weighed > plain + 0.05


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
