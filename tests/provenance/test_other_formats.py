"""A video, an animation, a GIF, a TIFF, an SVG or a PDF: its credentials are read, and no more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import cv2
import pytest
from django.core.management import call_command
from django.test import Client

from provenance.keys import key_folder
from provenance.keys.key_folder import Keyring
from provenance.manifests import containers, other_formats
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from provenance.verify import examination
from provenance.verify.judgements import STILL_ONLY
from tests.provenance.conftest import NOW
from tests.provenance.files import SVG, animated, saved
from tests.provenance.foreign import created, signed
from tests.provenance.pictures import drawing

pytestmark = pytest.mark.django_db


def video(folder: Path) -> bytes:
    path = folder / "a.mp4"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), 5, (64, 64))
    for _ in range(4):
        writer.write(drawing(2, 64))
    writer.release()
    return path.read_bytes()


PLAIN: dict[str, Callable[[Path], bytes]] = {
    "video/mp4": video,
    "image/gif": lambda _: animated("GIF"),
    "image/tiff": lambda _: saved(drawing(2, 64), "TIFF"),
    "image/svg+xml": lambda _: SVG,
    "application/pdf": lambda _: saved(drawing(2, 64), "PDF"),
    "image/png": lambda _: animated("PNG"),
    "image/webp": lambda _: animated("WEBP"),
}
CALLED = other_formats.NAMES | {"image/png": "an animation", "image/webp": "an animation"}


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    return key_folder.load_or_make(tmp_path_factory.mktemp("stranger"))


def made(mime: str, folder: Path, stranger: Keyring) -> bytes:
    told = [created("trainedAlgorithmicMedia", "Film machine")]
    return signed(PLAIN[mime](folder), cast(Mime, mime), by=stranger, assertions=told)


@pytest.mark.parametrize("mime", PLAIN)
def test_credentials_of_what_is_no_still_picture_are_read(
    mime: str, tmp_path: Path, stranger: Keyring
) -> None:
    data = made(mime, tmp_path, stranger)
    report = examination.check(data, at=NOW)
    assert (report.mime, report.manifest.verdict) == (mime, "found_good")
    assert report.signer.name == "Proofsheet local installation"
    assert report.stated is not None
    assert report.stated.generator == "Film machine"
    assert "Film machine" in report.headline
    assert f"is {CALLED[cast(Mime, mime)]}, and {STILL_ONLY}" in report.watermark.sentence
    assert report.fingerprint.sentence == report.watermark.sentence
    assert not report.is_ours


@pytest.mark.parametrize("mime", ["video/mp4", "image/gif", "image/tiff", "application/pdf"])
def test_changed_byte_is_seen(mime: str, tmp_path: Path, stranger: Keyring) -> None:
    data = bytearray(made(mime, tmp_path, stranger))
    plain = PLAIN[mime](tmp_path)
    place = data.rindex(plain[-40:-30]) if plain[-40:-30] in data else len(data) - 1
    data[place] ^= 1
    assert examination.check(bytes(data), at=NOW).manifest.verdict == "found_bad"


@pytest.mark.parametrize("mime", PLAIN)
def test_without_credentials_it_is_refused_as_before(mime: str, tmp_path: Path) -> None:
    with pytest.raises((decoder.NotAPicture, decoder.PictureAnimated)) as refusal:
        examination.check(PLAIN[mime](tmp_path), at=NOW)
    assert "not read here" not in refusal.value.advice


def test_page_api_and_command_tell_it(
    client: Client, tmp_path: Path, stranger: Keyring, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "signed.mp4"
    path.write_bytes(made("video/mp4", tmp_path, stranger))
    with path.open("rb") as file:
        page = client.post("/verify/", {"file": file}).text
    assert "Not looked for: the file is a video" in page
    assert "0 × 0" not in page
    with path.open("rb") as file:
        told: dict[str, Any] = client.post("/api/v1/verify/", {"file": file}).json()
    assert told["file"]["mime"] == "video/mp4"
    assert told["watermark"]["verdict"] == "absent"
    with pytest.raises(SystemExit) as ended:
        call_command("verify_image", path)
    assert ended.value.code == 1
    assert STILL_ONLY in capsys.readouterr().out
    assert STILL_ONLY.capitalize() in " ".join(client.get("/verify/").text.split())


def test_pdf_that_would_be_inflated_is_not_given_to_a_reader(
    tmp_path: Path, stranger: Keyring
) -> None:
    data = made("application/pdf", tmp_path, stranger)
    for hidden in (b"/ObjStm", b"/Type/O#62jStm"):
        with pytest.raises(decoder.NotAPicture):
            examination.check(data + hidden, at=NOW)


def test_several_stores_are_several_wherever_they_lie(tmp_path: Path, stranger: Keyring) -> None:
    for mime in ("image/gif", "image/tiff", "image/svg+xml"):
        data = made(mime, tmp_path, stranger)
        twice = data[:-1] + data + data[-1:] if mime != "image/gif" else data + data
        assert len(containers.manifest_stores(twice, cast(Mime, mime))) == 2
        assert examination.check(twice, at=NOW).manifest.issues == ("manifest.several",)


def test_cut_files_are_told_and_nothing_breaks(tmp_path: Path, stranger: Keyring) -> None:
    for mime in PLAIN:
        data = made(mime, tmp_path, stranger)
        for end in range(20, len(data), len(data) // 12):
            try:
                report = examination.check(data[:end], at=NOW)
            except decoder.PictureUnreadable:
                continue
            assert report.manifest.verdict != "found_good"
