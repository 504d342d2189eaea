"""Manifests lie in the storage under their digest: whole, private, erased with their record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from stat import S_IMODE

import numpy as np
import pytest
from django.core.management import call_command
from django.db import DatabaseError, transaction
from django.test import Client
from numpy.typing import NDArray

from config.core import content_files
from config.core.storage import private_storage
from provenance.assets import erasure, manifest_move
from provenance.models import MANIFESTS, Asset, ManifestName
from provenance.offline import bundle_export
from provenance.verify import examination
from provenance.verify.verdicts import VerifyReport
from tests.provenance.conftest import NOW, Marked
from tests.provenance.files import saved
from tests.provenance.pictures import photograph
from tests.rewriting import rewritten

Mark = Callable[[NDArray[np.uint8]], Marked]


def check(data: bytes) -> VerifyReport:
    return examination.check(data, at=NOW)


def place_of(marked: Marked) -> Path:
    name = content_files.name_of(MANIFESTS, marked.sealed.manifest_sha256)
    return Path(private_storage().path(name))


def as_once(marked: Marked) -> None:
    """The row as an older release wrote it."""
    with rewritten(Asset):
        Asset.objects.filter(id=marked.id).update(
            manifest=marked.sealed.manifest, thumbnail=marked.sealed.original.thumbnail
        )
    place_of(marked).unlink()


def test_manifest_and_thumbnail_are_in_the_storage_and_not_in_the_row(astronaut: Marked) -> None:
    asset = Asset.objects.get(id=astronaut.id)
    assert (bytes(asset.manifest), bytes(asset.thumbnail)) == (b"", b"")
    assert place_of(astronaut).read_bytes() == asset.manifest_store() == astronaut.sealed.manifest
    assert asset.small_picture() == astronaut.sealed.original.thumbnail
    assert S_IMODE(place_of(astronaut).stat().st_mode) == 0o600
    assert [path.name for path in place_of(astronaut).parent.iterdir()] == [
        astronaut.sealed.manifest_sha256
    ]


@pytest.mark.django_db(transaction=True)
def test_manifest_goes_with_its_erased_record(astronaut: Marked) -> None:
    with transaction.atomic():
        erasure.erase([astronaut.id], at=NOW)
        transaction.set_rollback(True)
    assert place_of(astronaut).exists()
    erasure.erase([astronaut.id], at=NOW)
    assert not place_of(astronaut).exists()


def test_lost_manifest_is_told_where_it_is_asked_for_and_nowhere_else(
    astronaut: Marked, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    place_of(astronaut).unlink()
    report = check(astronaut.sealed.data)
    assert (report.log.verdict, report.is_ours) == ("found_good", True)
    assert f"asset {astronaut.id}: The house's storage has lost its copy" in caplog.text
    name = ManifestName.objects.get(asset=astronaut.id).urn
    answer = client.get(f"/sbr/manifests/{name}")
    assert (answer.status_code, answer.json()["code"]) == (503, "content_missing")
    assert answer.json()["title"] == "The house's storage has lost its copy of this file."
    with pytest.raises(content_files.ContentMissing):
        bundle_export.bundle_of(astronaut.id)


def test_altered_manifest_is_bad_in_the_log_and_handed_to_nobody(
    astronaut: Marked, client: Client
) -> None:
    place_of(astronaut).write_bytes(astronaut.sealed.manifest[:-1])
    report = check(saved(astronaut.pixels, "PNG"))
    assert (report.log.verdict, report.is_ours) == ("found_bad", False)
    name = ManifestName.objects.get(asset=astronaut.id).urn
    assert client.get(f"/sbr/manifests/{name}").json()["code"] == "content_altered"


def test_old_rows_are_read_moved_and_read_again(
    mark: Mark, capsys: pytest.CaptureFixture[str]
) -> None:
    once, new = mark(photograph("astronaut")), mark(photograph("coffee"))
    as_once(once)
    seen = np.ascontiguousarray(once.pixels[40:440, 60:480])
    before = check(saved(seen, "PNG"))
    assert before.is_ours or before.fingerprint.verdict == "found_good"
    call_command("move_manifests")
    assert capsys.readouterr().out == "1 moved\n"
    assert place_of(once).read_bytes() == once.sealed.manifest
    assert check(saved(seen, "PNG")) == before
    assert place_of(new).exists()
    call_command("move_manifests")
    assert capsys.readouterr().out == "All manifests are in the storage.\n"


def test_interrupted_move_goes_on_and_loses_nothing(
    mark: Mark, monkeypatch: pytest.MonkeyPatch
) -> None:
    marked = [mark(photograph(name)) for name in ("astronaut", "coffee", "coins")]
    for each in marked:
        as_once(each)
    monkeypatch.setattr(manifest_move, "BATCH", 1)
    assert next(manifest_move.move()).moved == 1  # and whoever ran it was ended
    cut_short = place_of(marked[0])
    if not cut_short.exists():
        cut_short.parent.mkdir(parents=True, exist_ok=True)
        cut_short.write_bytes(b"half of")  # by whatever wrote it without an end
    assert sum(batch.moved for batch in manifest_move.move()) == 2
    for each in marked:
        assert Asset.objects.get(id=each.id).manifest_store() == each.sealed.manifest


def test_what_the_digest_does_not_name_stays_in_its_row(astronaut: Marked) -> None:
    as_once(astronaut)
    with rewritten(Asset):
        Asset.objects.filter(id=astronaut.id).update(manifest=b"another")
    with pytest.raises(DatabaseError, match="evidence"), transaction.atomic():
        Asset.objects.filter(id=astronaut.id).update(manifest=b"")
    (batch,) = manifest_move.move()
    assert (batch.moved, batch.staying) == (0, (astronaut.id,))
    assert bytes(Asset.objects.get(id=astronaut.id).manifest) == b"another"


def test_moved_manifest_is_never_put_back_or_exchanged(astronaut: Marked) -> None:
    for value in (astronaut.sealed.manifest, b"another"):
        with pytest.raises(DatabaseError, match="evidence"), transaction.atomic():
            Asset.objects.filter(id=astronaut.id).update(manifest=value)
