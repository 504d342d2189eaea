"""The intake package: samples that keep the rubric, with what a validator says of them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from provenance.keys import key_folder
from provenance.keys.installed_keys import keyring
from provenance.models import Asset, LogEntry
from tests.provenance import rubrics
from tests.provenance.conftest import seal
from tests.provenance.files import saved
from tests.provenance.pictures import drawing

pytestmark = pytest.mark.django_db
SAMPLES = {
    "generated/png.png",
    "generated/jpeg.jpg",
    "generated/webp.webp",
    "ingested/unsigned-parent.png",
    "ingested/signed-parent.png",
}


def test_package_holds_a_sample_a_media_type_and_leaves_no_record(tmp_path: Path) -> None:
    out = tmp_path / "evidence"
    call_command("conformance_evidence", out)
    found = {str(path.relative_to(out)) for path in out.rglob("*") if path.is_file()}
    reports = {f"{Path(name).with_suffix('')}.crjson" for name in SAMPLES}
    assert found == SAMPLES | reports | {"certificate.txt", "architecture.md"}
    assert "MISSED  valid for at most 366 days" in (out / "certificate.txt").read_text()
    assert "Proofsheet demo operator" in (out / "architecture.md").read_text()
    assert (Asset.objects.count(), LogEntry.objects.count()) == (0, 0)
    with pytest.raises(CommandError, match="not empty"):
        call_command("conformance_evidence", out)


@rubrics.needed
def test_samples_keep_every_rule(tmp_path: Path) -> None:
    call_command("conformance_evidence", tmp_path)
    for path in tmp_path.rglob("*.crjson"):
        assert rubrics.broken_rules(json.loads(path.read_text())) == set()


def test_validator_answers_by_the_lists_that_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(seal(drawing(2, 64)).sealed.data)
    (tmp_path / "own.pem").write_text(keyring().anchors_pem)
    stranger = key_folder.load_or_make(tmp_path / "stranger")
    (tmp_path / "other.pem").write_text(stranger.anchors_pem)

    def codes(*arguments: str | Path) -> set[str]:
        out = StringIO()
        call_command("crjson", tmp_path / "a.png", *arguments, stdout=out)
        results = json.loads(out.getvalue())["manifests"][0]["validationResults"]
        return {each["code"] for kind in ("success", "failure") for each in results[kind]}

    assert "signingCredential.trusted" in codes()
    assert "signingCredential.trusted" in codes("--trust-list", tmp_path / "own.pem")
    assert "signingCredential.untrusted" in codes("--trust-list", tmp_path / "other.pem")
    (tmp_path / "plain.png").write_bytes(saved(drawing(2, 64), "PNG"))
    with pytest.raises(SystemExit) as ended:
        call_command("crjson", tmp_path / "plain.png")
    assert ended.value.code == 1
    (tmp_path / "text.txt").write_text("nothing")
    with pytest.raises(CommandError):
        call_command("crjson", tmp_path / "text.txt")
