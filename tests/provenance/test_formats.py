"""Signed in the format that is delivered: PNG, JPEG, WebP, and copies of one in another."""

from collections.abc import Callable
from pathlib import Path
from typing import cast
from uuid import uuid4

import numpy as np
import pytest
from django.core.management import call_command
from numpy.typing import NDArray

from provenance.assets import marking, transcode
from provenance.keys import key_folder
from provenance.log import transparency_log
from provenance.manifests import containers, definition
from provenance.manifests.content_credentials import Parent, Signer
from provenance.manifests.signing_context import signer
from provenance.models import Asset
from provenance.offline import bundle_check, bundle_export
from provenance.pictures import decoder
from provenance.pictures.decoder import Mime
from provenance.verify import examination
from tests.provenance.conftest import NOW, SYSTEM, Marked
from tests.provenance.files import saved
from tests.provenance.pictures import drawing, photograph
from tests.rewriting import rewritten

MIMES = ["image/png", "image/jpeg", "image/webp"]
MARKS = ("manifest", "signer", "log", "watermark", "fingerprint")
Mark = Callable[[NDArray[np.uint8]], Marked]


def sealed(pixels: NDArray[np.uint8], mime: str, parent: Parent | None = None) -> Marked:
    asset_id = uuid4()
    marked = marking.embed(pixels, asset_id=asset_id)
    made = marking.seal(
        marked,
        asset_id=asset_id,
        created_at=NOW,
        system=SYSTEM,
        mime=cast(Mime, mime),
        parent=parent,
    )
    asset = marking.record(made, asset_id=asset_id, owner_pseudonym="p", at=NOW)
    transparency_log.sequence(at=NOW)
    return Marked(asset_id, marked.pixels, made, asset)


@pytest.mark.django_db
@pytest.mark.parametrize("mime", MIMES)
@pytest.mark.parametrize("picture", ["photograph", "drawing"])
def test_file_is_good_in_all_five_marks(mime: str, picture: str) -> None:
    pixels = photograph("coffee") if picture == "photograph" else drawing(2, 512)
    marked = sealed(pixels, mime)
    assert decoder.mime_of(marked.sealed.data) == mime
    report = examination.check(marked.sealed.data, at=NOW)
    assert {getattr(report, name).verdict for name in MARKS} == {"found_good"}
    assert "this very file" in report.log.sentence
    plain = marking.encode(marked.pixels, mime)
    assert len(marked.sealed.data) - len(plain) < 25_000


@pytest.mark.django_db
@pytest.mark.parametrize("mime", MIMES)
def test_file_carries_its_thumbnail_and_bindings(mime: str) -> None:
    marked = sealed(photograph("coffee"), mime)
    store = containers.manifest_store(marked.sealed.data, cast(Mime, mime))
    assert store == marked.sealed.manifest
    assert marked.sealed.original.thumbnail in store
    for text in (
        definition.SOFT_BINDING_ALGORITHM,
        marked.sealed.claim.watermark_id,
        "io.iscc.v0",
    ):
        assert text.encode() in store


@pytest.mark.django_db
@pytest.mark.parametrize("mime", MIMES)
def test_bundle_of_any_format_holds(mime: str) -> None:
    marked = sealed(drawing(2, 64), mime)
    data = bundle_export.bundle_of(marked.id, image=marked.sealed.data)
    assert "this very picture" in " ".join(
        bundle_check.verify(data, trusted=bundle_check.Trusted())
    )


@pytest.mark.django_db
@pytest.mark.parametrize("mime", MIMES)
def test_marks_that_an_input_came_with_are_kept_as_its_parent_s(mime: str, tmp_path: Path) -> None:
    elsewhere = Signer(key_folder.load_or_make(tmp_path))
    claim = definition.ManifestClaim("theirs", "Camera", "1", "lens", NOW, "00")
    plain = saved(photograph("moon"), mime.split("/")[1].upper())
    theirs = elsewhere.sign(plain, cast(Mime, mime), claim=claim)
    parent = Parent(theirs.data, cast(Mime, mime))
    marked = sealed(photograph("coffee"), mime, parent)
    assert b"Camera" in marked.sealed.manifest
    report = examination.check(marked.sealed.data, at=NOW)
    assert report.manifest.verdict == "found_good"
    (ingredient,) = report.manifest.ingredients
    assert (ingredient.relationship, ingredient.issues) == ("parentOf", ())


HEIC = (Path(__file__).parent / "drawing.heic").read_bytes()


@pytest.mark.django_db
@pytest.mark.parametrize("mime", ["image/avif", "image/heic"])
def test_credentials_in_a_newer_format_are_read_and_kept(mime: str, tmp_path: Path) -> None:
    elsewhere = Signer(key_folder.load_or_make(tmp_path))
    claim = definition.ManifestClaim("theirs", "Camera", "1", "lens", NOW, "00")
    plain = HEIC if mime == "image/heic" else saved(photograph("moon"), "AVIF")
    theirs = elsewhere.sign(plain, cast(Mime, mime), claim=claim)
    assert containers.manifest_store(theirs.data, cast(Mime, mime)) == theirs.manifest
    told = examination.check(theirs.data, at=NOW)
    assert (told.mime, told.manifest.verdict) == (mime, "found_good")
    marked = sealed(photograph("coffee"), "image/png", Parent(theirs.data, cast(Mime, mime)))
    (ingredient,) = examination.check(marked.sealed.data, at=NOW).manifest.ingredients
    assert (ingredient.relationship, ingredient.issues) == ("parentOf", ())


@pytest.mark.parametrize("name", ["jpeg", "webp"])
def test_copy_in_another_format_answers_by_all_five_marks(astronaut: Marked, name: str) -> None:
    mime = transcode.mime_of(name)
    copy = transcode.in_format(astronaut.sealed.data, mime, asset_id=astronaut.id, at=NOW)
    assert decoder.mime_of(copy) == mime
    report = examination.check(copy, at=NOW)
    assert {getattr(report, mark).verdict for mark in MARKS} == {"found_good"}
    assert "the original of this picture" in report.log.sentence
    assert report.disclosure is not None
    assert report.disclosure.id == str(astronaut.id)
    assert [item.issues for item in report.manifest.ingredients] == [()]
    reading = signer().read(copy, mime)
    assert (reading.is_generated, reading.is_altered) == (True, False)
    assert Asset.objects.count() == 1


def test_copy_in_its_own_format_is_the_file_itself(astronaut: Marked) -> None:
    data = astronaut.sealed.data
    assert transcode.in_format(data, "image/png", asset_id=astronaut.id, at=NOW) is data


def test_copy_of_what_was_erased_is_not_signed(astronaut: Marked) -> None:
    with rewritten(Asset):
        Asset.objects.all().delete()
    with pytest.raises(transcode.FormatNotOffered, match="erased"):
        transcode.in_format(astronaut.sealed.data, "image/jpeg", asset_id=astronaut.id, at=NOW)
    with pytest.raises(transcode.FormatNotOffered):
        transcode.mime_of("tiff")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("wanted", "suffixes"),
    [("same", {".jpg", ".png", ".webp"}), ("webp", {".webp"}), ("jpeg", {".jpg"})],
)
def test_archive_keeps_or_changes_the_format(
    tmp_path: Path, wanted: str, suffixes: set[str]
) -> None:
    for name, kind in (("a.jpg", "JPEG"), ("b.png", "PNG"), ("c.webp", "WEBP")):
        (tmp_path / name).write_bytes(saved(photograph("coffee", 300 + ord(name[0])), kind))
    call_command("mark_archive", tmp_path, "--format", wanted)
    transparency_log.sequence(at=NOW)
    copies = [path for path in (tmp_path / "marked").iterdir() if path.suffix != ".json"]
    assert {path.suffix for path in copies} == suffixes
    for path in copies:
        report = examination.check(path.read_bytes(), at=NOW)
        assert report.is_ours
        assert report.watermark.verdict == "found_good"
    call_command("mark_archive", tmp_path)  # told another format, it finds its own copies again
    assert Asset.objects.count() == 3
