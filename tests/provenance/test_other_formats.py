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
    assert told["watermark"]["verdict"] == told["fingerprint"]["verdict"] == "could_not_check"
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
        with pytest.raises(decoder.NotAPicture, match="was not looked at"):
            examination.check(data + hidden, at=NOW)


@pytest.mark.parametrize(
    "pointer", [b"startxref\n%d\n", b"/Prev %d ", b"/Pr#65v %d ", b"/Prev%%\n%d"]
)
def test_pdf_that_points_to_a_stream_for_its_table_is_told(
    pointer: bytes, tmp_path: Path, stranger: Keyring
) -> None:
    data = made("application/pdf", tmp_path, stranger) + b"\n"
    with pytest.raises(decoder.NotAPicture, match="was not looked at"):
        examination.check(data + b"1 0 obj<</W[1 1 1]>>" + pointer % len(data), at=NOW)
    assert examination.check(data + b"<</Prev 12 0 R>>", at=NOW).mime == "application/pdf"


def test_several_stores_are_several_wherever_they_lie(tmp_path: Path, stranger: Keyring) -> None:
    for mime in ("image/gif", "image/tiff", "image/svg+xml"):
        data = made(mime, tmp_path, stranger)
        twice = data[:-1] + data + data[-1:] if mime != "image/gif" else data + data
        assert len(containers.manifest_stores(twice, cast(Mime, mime))) == 2
        assert examination.check(twice, at=NOW).manifest.issues == ("manifest.several",)


def test_store_that_is_not_the_one_that_was_bounded_is_refused(
    tmp_path: Path, stranger: Keyring
) -> None:
    decoy = b"\0\0\0\x26jumb\0\0\0\x1ejumdc2pa" + bytes(18)
    long_one = b"\0\0\0\1jumb" + bytes(7) + b"\x2e\0\0\0\x1ejumdc2pa" + bytes(18)
    for mime in ("image/tiff", "application/pdf"):
        data = made(mime, tmp_path, stranger)
        for more in (decoy, long_one):
            assert examination.check(data + more, at=NOW).manifest.issues == ("manifest.several",)
        assert (
            len(containers.manifest_stores(PLAIN[mime](tmp_path) + long_one, cast(Mime, mime))) == 1
        )
    svg = made("image/svg+xml", tmp_path, stranger)
    plain = b"<c2pa:manifest>AAAA</c2pa:manifest>"
    start = svg.index(b"<c2pa:manifest")
    in_comment = svg[:start] + b"<!--" + plain + b"-->" + svg[start:]
    told = examination.check(in_comment, at=NOW)
    assert told.manifest.issues == ("manifest.several",)
    assert told.headline == "Inconclusive: no mark of this system was found."
    assert "watermark" not in told.explanation.casefold()
    for attribute in (b'x=">AAAA</"', b"x='>AAAA</'", b"x=" + b"y" * 500):
        hidden = svg.replace(b"<c2pa:manifest", b"<c2pa:manifest " + attribute)
        assert examination.check(hidden, at=NOW).manifest.issues == ("manifest.unreadable",)
    gif = made("image/gif", tmp_path, stranger)
    start = gif.index(b"\x21\xff\x0bC2PA_GIF")
    comment = b"\x21\xfe\x10\x21\xff\x0bC2PA_GIF" + b"\1\0\0\1" + b"x" + b"\0"
    for name in (comment, b"\x21\xfe\x08C2PA_GIF\0"):
        hidden = gif[:start] + name + gif[start:]
        assert examination.check(hidden, at=NOW).manifest.issues == ("manifest.several",)


@pytest.mark.parametrize("size", [b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\0\0\0\x08"])
@pytest.mark.parametrize("start", [b"%PDF", b"II*\0"])
def test_many_heads_of_stores_are_copied_but_twice(start: bytes, size: bytes) -> None:
    data = start + (size + b"jumb" + b"\0\0\0\0" + b"jumdc2pa") * 20_000
    mime = other_formats.mime_of(data)
    assert mime is not None
    found = other_formats.stores(data, mime)
    assert len(found) <= 2
    assert sum(map(len, found)) <= len(data)
    issues = examination.check(data, at=NOW).manifest.issues
    assert issues in (("manifest.several",), ("manifest.unreadable",))


def test_many_unclosed_elements_are_read_once() -> None:
    data = b"<svg>" + b"<c2pa:manifest" * 100_000 + b">"
    assert len(other_formats.stores(data, "image/svg+xml")) == 2
    assert len(other_formats.stores(b"<svg><c2pa:manifest" + b' a="' * 9, "image/svg+xml")) == 1


@pytest.mark.parametrize(
    ("brand", "name"),
    [
        (b"qt  ", "a video"),
        (b"M4A ", "a sound recording"),
        (b"mif1", "a HEIF of an unusual kind"),
        (b"hevc", "a HEIF of an unusual kind"),
    ],
)
def test_file_is_called_by_its_brand(
    brand: bytes, name: str, tmp_path: Path, stranger: Keyring
) -> None:
    data = made("video/mp4", tmp_path, stranger)
    report = examination.check(data[:8] + brand + data[12:], at=NOW)
    assert f"the file is {name}, and" in report.watermark.sentence


def test_cut_files_are_told_and_nothing_breaks(tmp_path: Path, stranger: Keyring) -> None:
    for mime in PLAIN:
        data = made(mime, tmp_path, stranger)
        for end in range(20, len(data), len(data) // 12):
            try:
                report = examination.check(data[:end], at=NOW)
            except decoder.PictureUnreadable:
                continue
            assert report.manifest.verdict != "found_good"
