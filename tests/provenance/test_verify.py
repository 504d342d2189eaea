"""Five verdicts on one file, each answering for itself."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
from numpy.typing import NDArray

from provenance.keys import key_folder
from provenance.keys.installed_keys import keyring
from provenance.manifests.content_credentials import ManifestClaim, Signer
from provenance.manifests.manifest_reading import Signature
from provenance.marks import watermark
from provenance.models import Asset
from provenance.verify import examination, judgements
from provenance.verify.verdicts import VerifyReport
from tests.provenance.attacks import ATTACKS
from tests.provenance.conftest import NOW, Marked, record, seal
from tests.provenance.files import saved
from tests.provenance.pictures import drawing, photograph
from tests.rewriting import rewritten

MARKS = ("manifest", "signer", "log", "watermark", "fingerprint")
Mark = Callable[[NDArray[np.uint8]], Marked]


def check(data: bytes) -> VerifyReport:
    return examination.check(data, at=NOW)


def verdicts(report: VerifyReport) -> dict[str, str]:
    return {name: str(getattr(report, name).verdict) for name in MARKS}


def test_own_file_is_good_in_all_five(astronaut: Marked) -> None:
    report = check(astronaut.sealed.data)
    assert set(verdicts(report).values()) == {"found_good"}
    assert report.is_ours
    assert "this very file" in report.log.sentence
    assert report.log.index == 0
    assert report.fingerprint.distance == 0
    assert report.disclosure is not None
    assert report.disclosure.id == str(astronaut.id)
    assert report.disclosure.created_or_altered == "created"
    assert report.disclosure.system == "Proofsheet"


def test_new_file_waits_for_the_log(db: None) -> None:
    report = check(record(seal(photograph("astronaut"))).sealed.data)
    assert report.log.verdict == "could_not_check"
    assert report.is_ours


@pytest.mark.parametrize("name", ["none", "crop_30", "mirror", "rotate_10", "full_screenshot"])
def test_stripped_picture_finds_its_record_again(astronaut: Marked, name: str) -> None:
    report = check(saved(ATTACKS[name](astronaut.pixels), "PNG"))
    expected = dict.fromkeys(MARKS, "found_good") | {"manifest": "absent", "signer": "absent"}
    assert verdicts(report) == expected
    assert report.is_ours
    assert report.watermark.id == astronaut.sealed.claim.watermark_id
    assert report.disclosure is not None
    assert report.disclosure.id == str(astronaut.id)


def test_changed_file_is_bad_in_its_manifest_alone(astronaut: Marked) -> None:
    data = bytearray(astronaut.sealed.data)
    data[-4] ^= 1  # the checksum of the last chunk
    report = check(bytes(data))
    assert verdicts(report) == dict.fromkeys(MARKS, "found_good") | {"manifest": "found_bad"}
    assert "changed after" in report.manifest.sentence


def test_copied_watermark_is_never_called_ours(astronaut: Marked) -> None:
    residual = astronaut.pixels.astype(int) - photograph("astronaut")
    for victim in (photograph("coffee"), photograph("rocket"), drawing(2)):
        forged = np.clip(victim + 2 * residual, 0, 255).astype(np.uint8)
        report = check(saved(forged, "PNG"))
        assert report.watermark.verdict in ("found_bad", "absent", "could_not_check")
        assert not report.is_ours
        assert report.disclosure is None
    assert report.watermark.verdict == "found_bad"
    assert report.fingerprint.verdict == "found_bad"
    assert report.log.verdict == "absent"


def test_likeness_alone_is_inconclusive(mark: Mark) -> None:
    mark(photograph("astronaut"))
    report = check(saved(photograph("astronaut"), "PNG"))
    assert report.fingerprint.verdict == "found_good"
    assert report.watermark.verdict == "absent"
    assert not report.is_ours
    assert report.headline.startswith("Inconclusive")


def test_mirrored_likeness_is_found_by_search(mark: Mark) -> None:
    mark(photograph("astronaut"))
    report = check(saved(photograph("astronaut")[:, ::-1].copy(), "JPEG", quality=60))
    assert report.fingerprint.verdict == "found_good"


def test_strange_picture_is_absent_and_inconclusive(astronaut: Marked) -> None:
    report = check(saved(photograph("coins"), "PNG"))
    assert set(verdicts(report).values()) == {"absent"}
    assert not report.is_ours
    assert "Inconclusive" in report.headline
    assert "does not make it a photograph" in report.explanation


def test_mark_without_a_record_could_not_be_checked(db: None) -> None:
    pixels = watermark.embed(photograph("coins"), 99, key=keyring().watermark_key)
    report = check(saved(pixels, "PNG"))
    assert report.watermark.verdict == "could_not_check"
    assert not report.is_ours
    assert "a watermark of this system was found" in report.headline
    assert "No mark" not in report.explanation


def _signed_by_a_stranger(pixels: NDArray[np.uint8], asset_id: str, folder: Path) -> bytes:
    claim = ManifestClaim(asset_id, "Elsewhere", "1", "m", NOW - timedelta(days=1), "00")
    stranger = Signer(key_folder.load_or_make(folder))
    return stranger.sign(saved(pixels, "PNG"), "image/png", claim=claim).data


def test_unknown_signer_is_neither_good_nor_bad(db: None, tmp_path: Path) -> None:
    report = check(_signed_by_a_stranger(photograph("coins"), "their-1", tmp_path))
    assert report.manifest.verdict == "found_good"
    assert report.signer.verdict == "could_not_check"
    assert "does not know" in report.signer.sentence
    assert not report.is_ours


def test_stranger_who_names_our_record_gains_nothing(astronaut: Marked, tmp_path: Path) -> None:
    report = check(_signed_by_a_stranger(photograph("coins"), str(astronaut.id), tmp_path))
    assert report.fingerprint.verdict == "found_bad"
    assert report.disclosure is None
    assert not report.is_ours


@pytest.mark.parametrize(
    ("field", "value"),
    [("fingerprint", bytes(32)), ("sha256", "0" * 64), ("manifest", b"x"), ("salt", bytes(32))],
)
def test_changed_record_is_bad_in_the_log(astronaut: Marked, field: str, value: object) -> None:
    with rewritten(Asset):
        Asset.objects.filter(id=astronaut.id).update(**{field: value})
    report = check(saved(astronaut.pixels, "PNG"))
    if field != "fingerprint":
        assert report.log.verdict == "found_bad"
    assert not report.is_ours


def test_report_is_the_shape_that_was_promised(astronaut: Marked) -> None:
    told = check(astronaut.sealed.data).as_json()
    assert {"verdict", "state", "issues"} <= set(told["manifest"])
    assert {"verdict", "index", "tree_size"} <= set(told["log"])
    assert {"verdict", "id", "confidence", "geometry"} <= set(told["watermark"])
    assert {"verdict", "distance"} <= set(told["fingerprint"])
    assert set(told["disclosure"]) == {
        "provider",
        "system",
        "version",
        "created_at",
        "id",
        "created_or_altered",
    }


def test_every_kind_of_signature_has_its_words() -> None:
    assert set(judgements.SIGNERS) == set(get_args(Signature))
