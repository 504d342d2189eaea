"""An unaltered piece of one's own picture is never accused, however little it shows."""

from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport
from tests.provenance.attacks import jpeg, resized
from tests.provenance.conftest import NOW, Marked
from tests.provenance.files import saved
from tests.provenance.pictures import drawing, photograph

Pixels = NDArray[np.uint8]
Mark = Callable[[Pixels], Marked]
GOOD, BAD, ABSENT, UNCHECKED = "found_good", "found_bad", "absent", "could_not_check"
AGREEING = ([GOOD] * 3, [UNCHECKED] * 3, [ABSENT] * 3)
"""Log, watermark, fingerprint: found, led to and not comparable, nothing."""


def apple() -> Pixels:
    """A large disc in smooth shades of red on white, as the starter model draws one."""
    down, across = np.mgrid[0:512, 0:512].astype(np.float32)
    light = np.hypot(across - 190, down - 200)
    shades = np.stack([245 - light * 0.15, 60 - light * 0.12, 40 - light * 0.1], -1)
    disc = np.zeros((512, 512, 1), np.float32)
    cv2.circle(disc, (256, 270), 215, 1.0, -1, cv2.LINE_AA)
    return np.asarray(np.clip(np.rint(255 + disc * (shades - 255)), 0, 255), np.uint8)


PICTURES: dict[str, Callable[[], Pixels]] = {
    "apple": apple,
    "drawing 3": lambda: drawing(3),
    "drawing 6": lambda: drawing(6),
    "photograph": lambda: photograph("rocket"),
}


def pieces(pixels: Pixels, side: int) -> list[Pixels]:
    """Five squares: the middle and near the corners, off the watermark's lattice."""
    rest = 512 - side
    shares = ((0.5, 0.5), (0.07, 0.13), (0.11, 0.9), (0.83, 0.17), (0.93, 0.81))
    places = [(int(rest * down), int(rest * across)) for down, across in shares]
    return [
        np.ascontiguousarray(pixels[top : top + side, left : left + side]) for top, left in places
    ]


def check(pixels: Pixels) -> VerifyReport:
    return examination.check(saved(pixels, "PNG"), at=NOW)


def told(report: VerifyReport) -> list[str]:
    return [each.verdict for each in (report.log, report.watermark, report.fingerprint)]


@pytest.mark.parametrize("side", [128, 160, 192, 232])
@pytest.mark.parametrize("name", PICTURES)
def test_piece_of_an_own_picture_is_never_accused(mark: Mark, name: str, side: int) -> None:
    for piece in pieces(mark(PICTURES[name]()).pixels, side):
        report = check(piece)
        assert told(report) in AGREEING, (told(report), report.headline)
        assert "does not hold" not in report.headline
        assert (report.manifest.verdict, report.signer.verdict) == (ABSENT, ABSENT)


def test_piece_that_shows_too_little_is_told_so_by_every_mark(mark: Mark) -> None:
    report = check(np.ascontiguousarray(mark(apple()).pixels[170:402, 140:372]))
    assert told(report) == [UNCHECKED] * 3
    assert "too little is seen" in report.watermark.sentence
    assert "too little is seen" in report.log.sentence.lower()
    assert "too little to be seen" in report.fingerprint.sentence
    assert "proves nothing here" in report.headline
    assert (report.is_ours, report.disclosure) == (False, None)


@pytest.mark.parametrize("name", ["apple", "drawing 6"])
def test_piece_that_was_sent_on_is_never_accused(mark: Mark, name: str) -> None:
    for piece in pieces(mark(PICTURES[name]()).pixels, 232):
        for sent in (jpeg(piece, 80), resized(piece[:, ::-1], 1.3)):
            report = check(np.ascontiguousarray(sent))
            assert BAD not in told(report)


@pytest.mark.parametrize("victim", ["drawing 3", "drawing 6", "photograph"])
def test_mark_that_was_copied_from_a_smooth_picture_is_still_told_as_copied(
    mark: Mark, victim: str
) -> None:
    residual = mark(apple()).pixels.astype(int) - apple()
    forged = np.clip(PICTURES[victim]() + 2 * residual, 0, 255).astype(np.uint8)
    report = check(forged)
    assert told(report) == [ABSENT, BAD, BAD]
    assert not report.is_ours


def test_pieces_of_a_picture_that_a_mark_was_copied_onto_are_never_ours(mark: Mark) -> None:
    residual = mark(apple()).pixels.astype(int) - apple()
    for victim in ("drawing 3", "drawing 6", "photograph"):
        forged = np.clip(PICTURES[victim]() + 2 * residual, 0, 255).astype(np.uint8)
        assert not any(check(piece).is_ours for piece in pieces(forged, 256))
