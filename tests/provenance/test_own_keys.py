"""A house with foreign keys, or with none, signs nothing; its log goes on with the right ones."""

import fcntl
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings

from config.runtime import preload
from provenance.keys import certificates, key_folder
from provenance.keys.key_folder import KeysMissing
from provenance.log import freshness, own_keys, recomputation, transparency_log
from provenance.log.own_keys import KeysForeign
from provenance.manifests.signing_context import signer
from provenance.models import Checkpoint, LogEntry
from provenance.rotation import key_rotation
from tests.provenance.conftest import NOW, seal
from tests.provenance.pictures import drawing
from tests.pure.provenance import test_leaf_profile

pytestmark = pytest.mark.django_db


def entry() -> None:
    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=NOW)


@pytest.fixture(autouse=True)
def folder(settings: Settings, tmp_path: Path) -> Path:
    """A house of its own with one signed entry."""
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "own"
    own_keys.make()
    entry()
    transparency_log.sequence(at=NOW)
    return tmp_path / "own"


def test_empty_folder_makes_no_keys_and_signs_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "empty"
    for act in (own_keys.require, entry, lambda: freshness.refresh(at=NOW)):
        with pytest.raises(KeysMissing):
            act()
    assert not (tmp_path / "empty").exists()


def test_commands_that_look_make_no_keys(settings: Settings, tmp_path: Path) -> None:
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "empty"
    with pytest.raises(KeysMissing):
        call_command("verify_log")
    assert not (tmp_path / "empty").exists()


def test_first_keys_are_not_made_beside_a_log_that_is_signed(
    settings: Settings, tmp_path: Path
) -> None:
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "empty"
    with pytest.raises(KeysForeign, match="a checkpoint already"):
        own_keys.make()
    assert not list((tmp_path / "empty").glob("*.key"))


def test_foreign_keys_neither_append_nor_sign(settings: Settings, tmp_path: Path) -> None:
    entry()
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "foreign"
    key_folder.load_or_make(tmp_path / "foreign")
    with pytest.raises(KeysForeign):
        entry()
    with pytest.raises(KeysForeign):
        transparency_log.sequence(at=NOW)
    with pytest.raises(KeysForeign):
        freshness.refresh(at=NOW)
    assert Checkpoint.objects.count() == 1
    assert LogEntry.objects.filter(pending__isnull=False).count() == 1


def test_log_goes_on_once_the_right_keys_are_back(
    folder: Path, settings: Settings, tmp_path: Path
) -> None:
    entry()
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "foreign"
    key_folder.load_or_make(tmp_path / "foreign")
    with pytest.raises(KeysForeign):
        transparency_log.sequence(at=NOW)
    settings.PROOFSHEET_KEYS_DIR = folder
    assert transparency_log.sequence(at=NOW) == 1
    assert recomputation.audit().fault is None


def test_rotated_keys_are_still_the_house_s_own() -> None:
    key_rotation.rotate_log_key(at=NOW, overlap=timedelta(days=30))
    entry()
    assert transparency_log.sequence(at=NOW) >= 1
    own_keys.require()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("keys", ["empty", "foreign"])
def test_worker_with_such_keys_does_not_start(
    keys: str, settings: Settings, tmp_path: Path
) -> None:
    settings.PROOFSHEET_KEYS_DIR = tmp_path / keys
    if keys == "foreign":
        key_folder.load_or_make(tmp_path / keys)
    with pytest.raises(SystemExit, match="keys"):
        preload.warm_up("gpu@host", None)


def test_certificate_is_in_the_provider_s_name_now_and_after_a_rotation(
    settings: Settings,
) -> None:
    settings.PROOFSHEET_PROVIDER = "Bildhaus GmbH"
    key_rotation.rotate_signer(at=NOW)
    reading = signer().read(seal(drawing(2, 64)).sealed.data, "image/png")
    assert (reading.signer, reading.provider) == ("Bildhaus GmbH", "Bildhaus GmbH")


def test_command_tells_what_the_certificate_lacks_of_the_programme_s(
    folder: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with pytest.raises(SystemExit) as ended:
        call_command("check_certificate")
    assert ended.value.code == 1
    said = capsys.readouterr().out
    assert "O=Proofsheet demo operator" in said
    assert "  misses  valid for at most 366 days" in said
    assert "  keeps  basic constraints of no authority, critical" in said
    (tmp_path / "leaf.pem").write_bytes(certificates.public_pem(test_leaf_profile.GOOD.made()))
    call_command("check_certificate", tmp_path / "leaf.pem")
    assert "It keeps every rule." in capsys.readouterr().out
    (tmp_path / "leaf.pem").write_text("no certificate")
    with pytest.raises(SystemExit) as ended:
        call_command("check_certificate", tmp_path / "leaf.pem")
    assert ended.value.code == 2


def test_keys_are_read_where_the_folder_is_mounted_read_only(folder: Path) -> None:
    """Nothing is written to it, and who reads keeps out who changes keys, and nobody else."""
    (folder / ".lock").unlink()
    before = {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())}
    read = key_folder.load_made(folder)
    assert {path: path.stat().st_mtime_ns for path in (folder, *folder.iterdir())} == before
    (folder / ".lock").touch(0o400)
    with (folder / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        again = key_folder.load_made(folder)
    assert again.certificate_chain_pem == read.certificate_chain_pem
