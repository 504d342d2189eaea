"""Manifests: signed, read, tampered with, foreign, and files that only pretend to have one."""

import json
from pathlib import Path
from typing import cast

import pytest

from provenance.keys import key_folder
from provenance.manifests import containers, definition
from provenance.manifests.content_credentials import Parent, Signer
from provenance.pictures.decoder import Mime
from tests.provenance import foreign
from tests.provenance.files import CLAIM, chunk, saved
from tests.provenance.pictures import photograph

KINDS = {
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/webp": "WEBP",
    "image/avif": "AVIF",
}


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> Signer:
    return Signer(key_folder.load_or_make(tmp_path_factory.mktemp("keys")))


@pytest.mark.parametrize("mime", KINDS)
def test_signed_file_reads_as_trusted_in_every_format(signer: Signer, mime: str) -> None:
    kind = cast(Mime, mime)
    plain = saved(photograph("coffee"), KINDS[mime])
    signed = signer.sign(plain, kind, claim=CLAIM)
    reading = signer.read(signed.data, kind)
    assert (reading.state, reading.signature, reading.issues) == ("trusted", "trusted", ())
    assert (reading.asset_id, reading.is_generated) == (CLAIM.asset_id, True)
    assert reading.claim_generator == "Proofsheet"
    assert containers.manifest_store(signed.data, kind) == signed.manifest
    assert len(signed.data) - len(plain) < 20_000


def test_changed_picture_reads_as_invalid(signer: Signer) -> None:
    signed = bytearray(signer.sign(saved(photograph("moon"), "PNG"), "image/png", claim=CLAIM).data)
    signed[-200] ^= 1
    reading = signer.read(bytes(signed), "image/png")
    assert reading.state == "invalid"
    assert "assertion.dataHash.mismatch" in reading.issues
    assert reading.signature == "trusted"


def test_changed_claim_reads_as_invalid(signer: Signer) -> None:
    signed = signer.sign(saved(photograph("moon"), "PNG"), "image/png", claim=CLAIM).data
    forged = signed.replace(CLAIM.asset_id.encode(), CLAIM.asset_id.replace("1", "2").encode())
    assert signer.read(forged, "image/png").state in ("invalid", "unreadable")


def test_picture_made_from_another_names_its_parent(signer: Signer) -> None:
    parent = signer.sign(saved(photograph("moon"), "PNG"), "image/png", claim=CLAIM).data
    plain = saved(photograph("coffee"), "PNG")
    signed = signer.sign(plain, "image/png", claim=CLAIM, parent=Parent(parent, "image/png"))
    reading = signer.read(signed.data, "image/png")
    assert (reading.state, reading.is_generated, reading.is_altered) == ("trusted", True, True)
    assert [(item.relationship, item.issues) for item in reading.ingredients] == [("parentOf", ())]


def test_tampered_parent_is_told_by_a_child_that_is_sound(signer: Signer) -> None:
    parent = bytearray(signer.sign(saved(photograph("moon"), "PNG"), "image/png", claim=CLAIM).data)
    parent[-200] ^= 1
    plain = saved(photograph("coffee"), "PNG")
    signed = signer.sign(plain, "image/png", claim=CLAIM, parent=Parent(bytes(parent), "image/png"))
    reading = signer.read(signed.data, "image/png")
    assert reading.state == "trusted"
    assert reading.ingredients[0].issues == ("assertion.dataHash.mismatch",)


def test_signature_of_a_stranger_is_valid_but_unknown(signer: Signer, tmp_path: Path) -> None:
    stranger = Signer(key_folder.load_or_make(tmp_path))
    signed = stranger.sign(saved(photograph("moon"), "PNG"), "image/png", claim=CLAIM).data
    reading = signer.read(signed, "image/png")
    assert (reading.state, reading.signature) == ("valid", "unknown")


def test_file_without_manifest_reads_as_absent(signer: Signer) -> None:
    assert signer.read(saved(photograph("moon"), "PNG"), "image/png").state == "absent"


def test_huge_manifest_is_not_looked_at(signer: Signer) -> None:
    plain = saved(photograph("moon"), "PNG")
    huge = plain[:33] + chunk(b"caBX", bytes(2_000_000)) + plain[33:]
    assert signer.read(huge, "image/png").issues == ("manifest.too_large",)


def test_garbage_manifest_is_unreadable(signer: Signer) -> None:
    plain = saved(photograph("moon"), "PNG")
    broken = plain[:33] + chunk(b"caBX", b"not a jumbf box") + plain[33:]
    assert signer.read(broken, "image/png").state == "unreadable"


def test_remote_manifest_is_never_fetched(signer: Signer) -> None:
    pointing = foreign.pointing(saved(photograph("moon"), "PNG"), 9)
    assert signer.read(pointing, "image/png").issues == ("manifest.remote",)


def test_manifest_holds_no_prompt_and_no_person(signer: Signer) -> None:
    told = json.dumps(definition.definition_of(CLAIM)) + json.dumps(definition.xmp_of(CLAIM))
    assert told.count("prompt") == told.count('"prompt_guided"') == 1  # how a person took part
    assert "author" not in told


def test_keys_are_kept_and_private(tmp_path: Path) -> None:
    first, again = key_folder.load_or_make(tmp_path), key_folder.load_or_make(tmp_path)
    assert first.watermark_key == again.watermark_key
    assert first.certificate_chain_pem == again.certificate_chain_pem
    assert {path.stat().st_mode & 0o077 for path in tmp_path.glob("*.key")} == {0}


def test_broken_key_is_named(tmp_path: Path) -> None:
    key_folder.load_or_make(tmp_path)
    (tmp_path / "watermark.key").write_bytes(b"short")
    with pytest.raises(key_folder.KeysUnusable, match=r"watermark\.key"):
        key_folder.load_or_make(tmp_path)
