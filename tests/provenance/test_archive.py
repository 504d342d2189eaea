"""Marking what was made before: copies, a report, and the truth about when."""

import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client

from provenance.assets import archive, marking
from provenance.log import transparency_log
from provenance.models import Asset
from provenance.verify import examination
from tests.provenance.conftest import NOW
from tests.provenance.files import saved
from tests.provenance.pictures import photograph


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "coffee.jpg").write_bytes(saved(photograph("coffee", 400), "JPEG"))
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "moon.png").write_bytes(saved(photograph("moon", 400), "PNG"))
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno more")
    return tmp_path


def outcomes(folder: Path) -> dict[str, str]:
    report = json.loads((folder / "marked" / "archive-report.json").read_text())
    assert "not observed" in report["statement"]
    return {each["source"]: each["outcome"] for each in report["pictures"]}


@pytest.mark.django_db
def test_archive_is_marked_once_and_told_honestly(folder: Path, client: Client) -> None:
    call_command("mark_archive", folder)
    assert outcomes(folder) == {
        "coffee.jpg": "marked",
        "moon.png": "marked",
        "broken.png": "unreadable",
    }
    transparency_log.sequence(at=NOW)
    (copy,) = (folder / "marked").glob("coffee-*.png")
    report = examination.check(copy.read_bytes(), at=NOW)
    assert report.is_ours
    assert report.disclosure is not None
    assert not report.disclosure.is_observed
    with copy.open("rb") as file:
        assert "not observed" in client.post("/verify/", {"file": file}).text
    call_command("mark_archive", folder)
    assert set(outcomes(folder).values()) == {"marked_before", "unreadable"}
    assert Asset.objects.count() == 2


@pytest.mark.django_db
def test_stop_after_the_record_is_completed_by_the_next_run(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, out = folder / "coffee.jpg", folder / "marked"
    out.mkdir()

    def stop(self: Path, target: Path) -> Path:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            archive.mark(source, out=out, model="m", at=NOW)
    assert not list(out.glob("*.png"))
    result = archive.mark(source, out=out, model="m", at=NOW)
    assert result.outcome == "marked_before"
    (copy,) = out.glob("*.png")
    asset = Asset.objects.get()
    assert (asset.sha256, str(asset.id)) == (
        examination.check(copy.read_bytes(), at=NOW).sha256,
        result.asset_id,
    )


@pytest.mark.django_db
def test_file_that_is_signed_here_is_left_alone(tmp_path: Path) -> None:
    call_command("mark_archive", tmp_path)
    original = tmp_path / "a.png"
    original.write_bytes(marking.encode_png(photograph("coffee", 400)))
    archive.mark(original, out=tmp_path, model="m", at=NOW)
    (copy,) = tmp_path.glob("a-*.png")
    again = archive.mark(copy, out=tmp_path, model="m", at=NOW)
    assert again.outcome == "marked_before"
    assert Asset.objects.count() == 1
