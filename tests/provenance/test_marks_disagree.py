"""Every mark is asked for itself: no manifest hides a watermark, and who disagrees is told."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.assets import erasure, transcode
from provenance.keys.key_folder import load_or_make
from provenance.manifests.content_credentials import Signer
from provenance.manifests.definition import ManifestClaim
from provenance.manifests.signing_context import signer
from provenance.models import ManifestName
from provenance.soft_bindings import manifest_lookup
from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport
from tests.provenance.attacks import cropped_screenshot, full_screenshot
from tests.provenance.conftest import NOW, Marked
from tests.provenance.files import chunk, saved
from tests.provenance.pictures import drawing, photograph

Mark = Callable[[NDArray[np.uint8]], Marked]
OTHER_PICTURE = "The Content Credentials name the record of another picture."
NOT_KEPT = (
    "The Content Credentials name a record that is not kept here: not the one of this picture."
)
SILENT = "say nothing of the record that this picture’s other marks lead to."


def check(data: bytes) -> VerifyReport:
    return examination.check(data, at=NOW)


def png_chunks(data: bytes) -> dict[bytes, bytes]:
    """The chunks of a PNG, whole; of several of a kind the last one."""
    chunks, at = {}, 8
    while at < len(data):
        length = int.from_bytes(data[at : at + 4])
        chunks[data[at + 4 : at + 8]] = data[at : at + 12 + length]
        at += 12 + length
    return chunks


def with_manifest_of(png: bytes, donor: bytes) -> bytes:
    """A PNG with the manifest chunk of another one behind its header."""
    return png[:33] + png_chunks(donor)[b"caBX"] + png[33:]


def with_segments_of(jpeg: bytes, donor: bytes) -> bytes:
    """A JPEG with the manifest segments (APP11) of another one behind its start."""
    segments, at = b"", 2
    while donor[at + 1] != 0xDA:
        length = 2 + int.from_bytes(donor[at + 2 : at + 4])
        if donor[at + 1] == 0xEB:
            segments += donor[at : at + length]
        at += length
    assert segments
    return jpeg[:2] + segments + jpeg[2:]


def foreign(pixels: NDArray[np.uint8], folder: Path, *, asset_id: str = "their-1") -> bytes:
    """A PNG that a stranger signed."""
    claim = ManifestClaim(asset_id, "Elsewhere", "1", "m", NOW, "00")
    return Signer(load_or_make(folder)).sign(saved(pixels, "PNG"), "image/png", claim=claim).data


def assert_ours(report: VerifyReport, marked: Marked) -> None:
    assert report.is_ours
    assert report.disclosure is not None
    assert report.disclosure.id == str(marked.id)
    assert report.watermark.verdict == report.fingerprint.verdict == report.log.verdict
    assert report.watermark.verdict == "found_good"


@pytest.mark.parametrize("shot", [cropped_screenshot, full_screenshot])
def test_manifest_of_another_picture_of_ours_hides_no_watermark(
    mark: Mark, astronaut: Marked, shot: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]
) -> None:
    other = mark(photograph("coffee"))
    taken = saved(shot(astronaut.pixels), "PNG")
    report = check(with_manifest_of(taken, other.sealed.data))
    assert_ours(report, astronaut)
    assert report.manifest.verdict == "found_bad"
    assert report.disagreements == (OTHER_PICTURE,)
    assert report.headline.endswith("one of its marks does not hold.")
    assert report.as_json()["disagreements"] == (OTHER_PICTURE,)


def test_manifest_in_a_jpeg_hides_no_watermark(mark: Mark, astronaut: Marked) -> None:
    other = mark(photograph("coffee"))
    donor = transcode.in_format(other.sealed.data, "image/jpeg", asset_id=other.id, at=NOW)
    report = check(with_segments_of(saved(astronaut.pixels, "JPEG", quality=85), donor))
    assert_ours(report, astronaut)
    assert report.disagreements == (OTHER_PICTURE,)


def test_broken_manifest_hides_no_watermark(mark: Mark, astronaut: Marked) -> None:
    store = mark(photograph("coffee")).sealed.manifest
    taken = saved(astronaut.pixels, "PNG")
    report = check(taken[:33] + chunk(b"caBX", store[:40] + bytes(360) + store[400:]) + taken[33:])
    assert_ours(report, astronaut)
    assert report.manifest.verdict in ("found_bad", "could_not_check")


def test_foreign_manifest_hides_no_watermark(astronaut: Marked, tmp_path: Path) -> None:
    pasted = with_manifest_of(
        saved(astronaut.pixels, "PNG"), foreign(photograph("coins"), tmp_path)
    )
    signed_over = foreign(astronaut.pixels, tmp_path)
    for data in (pasted, signed_over):
        report = check(data)
        assert_ours(report, astronaut)
        assert len(report.disagreements) == 1


def test_stranger_who_names_our_other_record_is_contradicted(
    mark: Mark, astronaut: Marked, tmp_path: Path
) -> None:
    other = mark(photograph("coffee"))
    report = check(foreign(astronaut.pixels, tmp_path, asset_id=str(other.id)))
    assert_ours(report, astronaut)
    assert report.disagreements == (OTHER_PICTURE,)


def test_manifest_that_names_an_erased_record_hides_no_watermark(
    mark: Mark, astronaut: Marked
) -> None:
    other = mark(photograph("coffee"))
    erasure.erase([other.id], at=NOW)
    report = check(with_manifest_of(saved(astronaut.pixels, "PNG"), other.sealed.data))
    assert_ours(report, astronaut)
    assert report.disagreements == (NOT_KEPT,)


def test_two_records_of_one_picture_are_both_told(mark: Mark) -> None:
    first, second = mark(photograph("astronaut")), mark(photograph("astronaut"))
    report = check(with_manifest_of(saved(first.pixels, "PNG"), second.sealed.data))
    assert_ours(report, first)
    assert any("which shows the same picture" in said for said in report.disagreements)


def test_copied_watermark_does_not_hide_the_likeness(mark: Mark, astronaut: Marked) -> None:
    """Another picture's mark is smeared over ours: the fingerprint still leads to its record."""
    coffee = mark(photograph("coffee"))
    residual = coffee.pixels.astype(int) - photograph("coffee")
    smeared = np.clip(photograph("astronaut") + 2 * residual, 0, 255).astype(np.uint8)
    report = check(saved(smeared, "PNG"))
    assert report.watermark.verdict == "found_bad"
    assert report.fingerprint.verdict == "found_good"
    assert report.disagreements == ("The watermark leads to the record of another picture.",)
    assert not report.is_ours


def test_manifest_alone_makes_no_picture_ours(mark: Mark) -> None:
    coffee = mark(photograph("coffee"))
    for victim in (photograph("coins"), drawing(2)):
        report = check(with_manifest_of(saved(victim, "PNG"), coffee.sealed.data))
        assert not report.is_ours
        assert report.disclosure is None
        assert report.fingerprint.verdict == "found_bad"


def test_resolution_finds_the_picture_s_own_manifest(mark: Mark, astronaut: Marked) -> None:
    other = mark(photograph("coffee"))
    data = with_manifest_of(saved(astronaut.pixels, "PNG"), other.sealed.data)
    assert signer().read(data, "image/png").asset_id == str(other.id)
    (match,) = manifest_lookup.by_content(data, limit=5)
    assert match.manifest_id == ManifestName.objects.get(asset_id=astronaut.id).urn
