"""A picture that was edited in a part, or turned, stays ours; another with our mark never is."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from django.test import Client
from numpy.typing import NDArray

from provenance.marks import changed_parts, perceptual_match
from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport
from tests.provenance.attacks import cropped, from_the_side, jpeg, resized, rotated
from tests.provenance.conftest import NOW, Marked
from tests.provenance.files import saved
from tests.provenance.pictures import clear_sky, drawing, photograph
from tests.provenance.test_soft_bindings import upload

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Mark = Callable[[Pixels], Marked]
RECTANGLES = {
    "one": [(40, 60, 380, 330)],
    "one_at_the_corner": [(0, 0, 310, 300)],
    "three": [(20, 20, 200, 170), (300, 40, 490, 240), (90, 320, 290, 480)],
    "small": [(200, 180, 330, 300)],
}
"""Left, top, right, bottom; up to 35 % of a picture of 512 pixels."""


def mask_of(name: str) -> Mask:
    mask = np.zeros((512, 512), bool)
    for left, top, right, bottom in RECTANGLES[name]:
        mask[top:bottom, left:right] = True
    return mask


def pasted(pixels: Pixels, mask: Mask, what: Pixels | tuple[int, int, int]) -> Pixels:
    return np.where(mask[..., None], np.asarray(what, np.uint8), pixels)


def told(report: VerifyReport, shape: tuple[int, ...]) -> Mask:
    height, width = shape
    mask = np.zeros((height, width), bool)
    for part in report.fingerprint.foreign:
        top, left = round(part.top * height), round(part.left * width)
        bottom = round((part.top + part.height) * height)
        mask[top:bottom, left : round((part.left + part.width) * width)] = True
    return mask


def overlap(report: VerifyReport, mask: Mask) -> float:
    found = told(report, mask.shape)
    return float((found & mask).sum() / (found | mask).sum())


def check(pixels: Pixels) -> VerifyReport:
    return examination.check(saved(pixels, "PNG"), at=NOW)


@pytest.mark.parametrize("what", ["photograph", "colour"])
@pytest.mark.parametrize("name", RECTANGLES)
def test_edited_picture_stays_ours_and_the_part_is_named(
    astronaut: Marked, name: str, what: str
) -> None:
    mask = mask_of(name)
    foreign = photograph("coffee") if what == "photograph" else (30, 160, 90)
    report = check(pasted(astronaut.pixels, mask, foreign))
    assert (report.is_ours, report.is_edited) == (True, True)
    assert overlap(report, mask) > 0.6
    assert "changed" in report.headline
    assert "changed" in report.fingerprint.sentence
    assert "changed" in report.watermark.proves
    assert report.preview.startswith(b"\xff\xd8")


@pytest.mark.parametrize("seed", [3, 4, 6])
def test_edited_drawing_stays_ours(mark: Mark, seed: int) -> None:
    mask = mask_of("one_at_the_corner")
    report = check(pasted(mark(drawing(seed)).pixels, mask, photograph("coffee")))
    assert report.is_edited
    assert overlap(report, mask) > 0.7


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("is_mirrored", [False, True])
def test_turned_picture_stays_ours_and_nothing_is_said_to_be_changed(
    astronaut: Marked, turns: int, is_mirrored: bool
) -> None:
    side = astronaut.pixels[:, ::-1] if is_mirrored else astronaut.pixels
    report = check(np.ascontiguousarray(np.rot90(side, turns)))
    assert report.is_ours
    assert report.fingerprint.changed == ()
    assert not report.is_edited
    said = {"mirrored": is_mirrored, "turned": turns != 0}
    for word, is_so in said.items():
        assert (word in report.headline) == is_so, report.headline
    assert report.as_json()["headline"] == report.headline


@pytest.mark.parametrize("is_mirrored", [False, True])
def test_negative_stays_ours_and_is_told_as_one(astronaut: Marked, is_mirrored: bool) -> None:
    side = astronaut.pixels[:, ::-1] if is_mirrored else astronaut.pixels
    report = check(jpeg(np.ascontiguousarray(255 - side), 80))
    assert (report.is_ours, report.is_edited) == (True, False)
    assert "made a negative" in report.headline
    assert ("mirrored" in report.headline) == is_mirrored


@pytest.mark.parametrize("channels", [slice(1), slice(1, 3)], ids=["brightness", "colours"])
def test_negative_of_brightness_or_colours_alone_is_an_edit_of_all_of_it(
    astronaut: Marked, channels: slice
) -> None:
    split = cv2.cvtColor(astronaut.pixels, cv2.COLOR_RGB2YCrCb)
    split[..., channels] = 255 - split[..., channels]
    report = check(jpeg(np.asarray(cv2.cvtColor(split, cv2.COLOR_YCrCb2RGB), np.uint8), 80))
    assert (report.is_ours, report.is_edited) == (True, True)
    assert overlap(report, np.ones((512, 512), bool)) > 0.9


@pytest.mark.parametrize("place", ["left", "below", "around"])
def test_what_was_set_beside_a_picture_is_named(astronaut: Marked, place: str) -> None:
    mask = np.ones((1024, 1024), bool)
    rows, columns = {
        "left": (slice(512), slice(512, 1024)),
        "below": (slice(512, 1024), slice(512)),
        "around": (slice(200, 712), slice(300, 812)),
    }[place]
    mask[rows, columns] = False
    collage = resized(photograph("coffee"), 2.0)
    collage[rows, columns] = astronaut.pixels
    report = check(collage)
    assert (report.is_ours, report.is_edited) == (True, True)
    assert report.headline == (
        "A part of this picture comes from this system; what lies beside it does not."
    )
    assert "beside" in report.fingerprint.sentence
    assert "was not" in report.watermark.proves
    assert overlap(report, mask) > 0.95
    assert report.preview.startswith(b"\xff\xd8")


@pytest.mark.parametrize("degrees", [15, 30, 45])
def test_what_lies_around_a_picture_that_was_set_in_aslant_is_named(
    astronaut: Marked, degrees: int
) -> None:
    side = 740
    matrix = np.asarray(cv2.getRotationMatrix2D((255.5, 255.5), degrees, 1.0), np.float64)
    matrix[:, 2] += (side - 512) / 2
    turned, covered = (
        np.asarray(cv2.warpAffine(each, matrix, (side, side), flags=cv2.INTER_CUBIC), np.uint8)
        for each in (astronaut.pixels, np.full((512, 512), 255, np.uint8))
    )
    mask = covered < 128
    report = check(pasted(turned, mask, photograph("coffee", side)))
    assert report.headline.startswith("A part of this picture comes from this system")
    assert overlap(report, mask) > 0.7


@pytest.mark.parametrize("width", [14, 26])
def test_narrow_strip_beside_a_picture_is_named_where_it_shows_something(
    astronaut: Marked, width: int
) -> None:
    caption = np.full((width, 512, 3), 255, np.uint8)
    place, size = (20, width - width // 4), width / 32
    cv2.putText(caption, "REAL PHOTO - NOT AI", place, 0, size, (200, 0, 0), 1 + width // 20)
    framed = resized(photograph("coffee"), (512 + 2 * width) / 512)
    within = (slice(width, 512 + width),) * 2
    plain = np.full_like(framed, 255)
    framed[within] = plain[within] = astronaut.pixels
    for pixels, count in ((np.vstack([astronaut.pixels, caption]), 1), (framed, 4)):
        report = check(jpeg(pixels, 85))
        assert (report.is_ours, report.is_edited) == (True, True)
        assert "what lies beside it does not" in report.headline
        assert len(report.fingerprint.beside) == count
    assert not check(plain).is_edited


def test_plain_corners_of_a_picture_that_was_turned_are_no_edit(astronaut: Marked) -> None:
    for degrees in (4, 10, 45):
        report = check(rotated(astronaut.pixels, degrees))
        assert (report.is_ours, report.is_edited) == (True, False)


def test_edit_is_named_where_it_lies_after_turn_crop_and_codec(astronaut: Marked) -> None:
    mask = mask_of("small")
    edited = pasted(astronaut.pixels, mask, photograph("coffee"))
    sent = jpeg(resized(np.ascontiguousarray(np.rot90(cropped(edited, 0.1)[:, ::-1])), 0.8), 75)
    where = resized(
        np.rot90(cropped(np.repeat(mask[..., None], 3, 2).astype(np.uint8), 0.1)[:, ::-1]), 0.8
    )
    report = check(sent)
    assert report.is_edited
    assert "it was mirrored and turned and a part of it was changed" in report.headline
    assert overlap(report, where[..., 0] > 0) > 0.6


def test_copied_mark_on_pictures_that_look_alike_is_never_ours(mark: Mark) -> None:
    coffee = mark(photograph("coffee"))
    residual = coffee.pixels.astype(int) - photograph("coffee")
    enlarged = cv2.resize(photograph("coffee")[60:420, 80:440], (512, 512))
    shifted = np.roll(photograph("coffee"), (70, 50), (0, 1))
    for victim in (enlarged, shifted, photograph("coins"), photograph("moon")):
        report = check(np.clip(victim + 2 * residual, 0, 255).astype(np.uint8))
        assert report.watermark.verdict in {"found_bad", "could_not_check"}  # by the key, rarely
        assert report.fingerprint.changed == ()
        assert not report.is_ours


@pytest.mark.parametrize("is_grey", [False, True])
def test_mark_of_one_half_of_a_photograph_on_its_other_half_is_never_ours(
    mark: Mark, is_grey: bool
) -> None:
    """Both show one poster, three of the watermark's tiles further to the right in one."""
    victim, record = clear_sky().copy(), clear_sky().copy()
    victim[:, 288:] = record[:, :224] = photograph("coffee")[:, 144:368]
    residual = mark(record).pixels.astype(int) - record
    if is_grey:
        victim = np.repeat(cv2.cvtColor(victim, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    for strength in (1, 2):
        report = check(np.clip(victim + strength * residual, 0, 255).astype(np.uint8))
        assert not report.is_ours
        assert report.fingerprint.changed == ()
        assert report.disclosure is None


@pytest.mark.parametrize("picture", ["rocket", "hubble_deep_field", "drawing 0", "drawing 1"])
def test_picture_photographed_from_the_side_is_never_accused(mark: Mark, picture: str) -> None:
    """The mark is read from it, but the lattice of squares does not lie over it everywhere."""
    kind, _, seed = picture.partition(" ")
    marked = mark(drawing(int(seed)) if seed else photograph(kind)).pixels
    for view in range(3, 6):
        report = check(from_the_side(marked, view))
        told = {report.log.verdict, report.watermark.verdict, report.fingerprint.verdict}
        assert "found_bad" not in told, (view, report.headline)


def test_plain_picture_stays_ours_when_it_is_turned(mark: Mark) -> None:
    sky = mark(clear_sky()).pixels
    for turned in (np.rot90(sky), np.rot90(sky[:, ::-1], 2)):
        assert check(np.ascontiguousarray(turned)).is_ours


@pytest.mark.parametrize("name", ["one", "three"])
def test_plain_picture_that_was_edited_stays_ours(mark: Mark, name: str) -> None:
    """Hardly a thing of it is left to agree, but the edit took the mark away where it lies."""
    sky = mark(clear_sky()).pixels
    for other in ((30, 160, 90), photograph("coffee")):
        report = check(pasted(sky, mask_of(name), other))
        assert (report.is_ours, report.is_edited) == (True, True)
        assert overlap(report, mask_of(name)) > 0.6


def test_another_picture_on_a_page_of_ours_whose_own_was_erased_is_not_ours(mark: Mark) -> None:
    """White paper is like any other; nothing of what it showed is left."""
    page = np.full((512, 512, 3), 250, np.uint8)
    cv2.circle(page, (60, 60), 30, (200, 30, 30), -1)
    marked = mark(page).pixels
    erased = marked.copy()
    erased[30:90, 30:90] = 250
    for seed in (3, 11, 19, 21, 25, 33):
        other = drawing(seed)
        shown = np.abs(other.astype(int) - 255).max(axis=-1) >= 6
        report = check(pasted(erased, shown, other))
        assert not report.is_ours, (seed, report.headline)
        assert report.watermark.verdict != "found_bad"


@pytest.mark.parametrize("strength", [1, 2])
@pytest.mark.parametrize("name", ["one", "three", "small"])
def test_a_mark_that_lies_over_what_differs_too_is_told_as_not_certain(
    mark: Mark, name: str, strength: int
) -> None:
    """Two versions of one picture, and the mark of the one copied onto the other."""
    record = photograph("coffee")
    version = pasted(record, mask_of(name), photograph("chelsea"))
    residual = mark(record).pixels.astype(int) - record
    report = check(np.clip(version + strength * residual, 0, 255).astype(np.uint8))
    assert (report.is_ours, report.is_edited, report.disclosure) == (False, False, None)
    for told in (report.watermark, report.fingerprint, report.log):
        assert told.verdict == "could_not_check"
    assert "also lies over what differs" in report.watermark.sentence
    assert "proves nothing here" in report.headline
    assert "Watermark" in report.explanation
    assert report.as_json()["is_ours"] is False


@pytest.mark.parametrize("seed", [3, 6])
def test_what_a_telephone_paints_out_is_an_edit(mark: Mark, seed: int) -> None:
    """It paints something smooth that nearly agrees; only the mark is gone there for certain."""
    marked, mask = mark(drawing(seed)).pixels, mask_of("small")
    painted = cv2.inpaint(marked, mask.astype(np.uint8), 3, cv2.INPAINT_TELEA)
    report = check(np.asarray(painted, np.uint8))
    assert report.is_ours


def test_two_skies_without_anything_in_them_could_not_be_compared(mark: Mark) -> None:
    sky = clear_sky()
    marked = mark(sky)
    residual = marked.pixels.astype(int) - sky
    report = check(np.clip(np.flipud(sky) + residual, 0, 255).astype(np.uint8))
    assert not report.is_ours
    assert report.watermark.verdict == "could_not_check"
    assert "too little is seen" in report.watermark.sentence
    assert report.fingerprint.verdict != "found_good"


def test_cut_out_pasted_into_another_picture_is_another_picture(astronaut: Marked) -> None:
    """A twelfth of ours in a picture by somebody else, with our mark over all of it."""
    residual = astronaut.pixels.astype(int) - photograph("astronaut")
    collage = photograph("coins").copy()
    collage[190:340, 190:340] = photograph("astronaut")[190:340, 190:340]
    assert not check(np.clip(collage + 2 * residual, 0, 255).astype(np.uint8)).is_ours


def test_blank_picture_resembles_no_record(astronaut: Marked) -> None:
    original = perceptual_match.original_of(astronaut.pixels)
    for value in (0, 128, 255):
        compared = perceptual_match.compare(np.full((400, 300, 3), value, np.uint8), original, None)
        assert compared is None or not compared.is_same


@pytest.mark.parametrize("turns", range(4))
def test_comparison_without_a_watermark_tries_orientations_and_features(turns: int) -> None:
    original = perceptual_match.original_of(photograph("astronaut"))
    turned = np.ascontiguousarray(np.rot90(photograph("astronaut")[:, ::-1], turns))
    cut = resized(cropped(turned, 0.35), 0.7)
    for pixels in (turned, cut):
        compared = perceptual_match.compare(pixels, original, None)
        assert compared is not None
        assert (compared.is_same, compared.changed) == (True, ())
    other = perceptual_match.compare(photograph("chelsea"), original, None)
    assert other is None or not other.is_same


def test_parts_come_out_as_few_boxes() -> None:
    mask = np.zeros((128, 128), bool)
    mask[20:60, 10:50] = mask[20:40, 50:100] = True
    mask[90:93, 5:120] = True  # an edge beside itself
    found = changed_parts.boxes(mask, bleeding=0)
    assert found == [(10, 20, 50, 60), (50, 20, 100, 40)]
    assert changed_parts.boxes(np.zeros((128, 128), bool), bleeding=3) == []


def test_page_and_json_name_the_changed_part(client: Client, astronaut: Marked) -> None:
    data = saved(pasted(astronaut.pixels, mask_of("small"), (30, 160, 90)), "PNG")
    page = client.post("/verify/", upload(data)).text
    told = client.post("/api/v1/verify/", upload(data)).json()
    parts_told = told["fingerprint"]["changed"]
    assert page.count('<rect class="frame"') == len(parts_told)
    assert "data:image/jpeg;base64," in page
    assert "from the picture that was marked here" in page
    assert (told["is_ours"], told["is_edited"]) == (True, True)
    assert min(part["left"] for part in parts_told) == pytest.approx(200 / 512, abs=0.05)
    assert min(part["top"] for part in parts_told) == pytest.approx(180 / 512, abs=0.05)
    right = max(part["left"] + part["width"] for part in parts_told)
    bottom = max(part["top"] + part["height"] for part in parts_told)
    assert (right, bottom) == pytest.approx((330 / 512, 300 / 512), abs=0.05)
    assert "preview" not in told
    untouched = client.post("/verify/", upload(saved(astronaut.pixels, "PNG"))).text
    assert "changed-parts" not in untouched
