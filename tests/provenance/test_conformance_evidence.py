"""The intake package: samples that keep the rubric, with what a validator says of them."""

import json
from io import StringIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from django.core.management import CommandError, call_command
from pytest_django.fixtures import Settings

from provenance.assets import conformance_evidence
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


def test_key_is_told_as_it_lies_there(tmp_path: Path, settings: Settings) -> None:
    settings.PROOFSHEET_KEYS_DIR = own_keys = tmp_path / "keys"
    key_folder.load_or_make(own_keys)

    def told() -> str:
        text = conformance_evidence._architecture()
        return next(line for line in text.splitlines() if "Signing key" in line)

    assert "in an unencrypted file of mode 0600;" in told()
    key = own_keys / f"{key_folder.read_plan(own_keys).signer}.key"
    key.chmod(0o640)
    assert "of mode 0640" in told()
    opened = serialization.load_pem_private_key(key.read_bytes(), None)
    closed = opened.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(b"word"),
    )
    (tmp_path / "leaf.key").write_bytes(closed)
    (tmp_path / "leaf.key").chmod(0o444)
    (tmp_path / "chain.pem").write_text(keyring().certificate_chain_pem)
    settings.PROOFSHEET_C2PA = settings.PROOFSHEET_C2PA | {
        "certificates": str(tmp_path / "chain.pem"),
        "private_key": str(tmp_path / "leaf.key"),
        "passphrase": "word",
    }
    assert "in an encrypted file of mode 0444;" in told()


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
    assert "signingCredential.trusted" in codes("--tsa-list", tmp_path / "other.pem")
    (tmp_path / "plain.png").write_bytes(saved(drawing(2, 64), "PNG"))
    with pytest.raises(SystemExit) as ended:
        call_command("crjson", tmp_path / "plain.png")
    assert ended.value.code == 1
    (tmp_path / "text.txt").write_text("nothing")
    with pytest.raises(CommandError):
        call_command("crjson", tmp_path / "text.txt")
