"""What a backup holds and what it refuses, in one process on the tests' own database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.core.management import CommandError, call_command
from django.db import connection
from pytest_django.fixtures import Settings

from config.backups import (
    database_dump,
    key_bundle,
    manifest,
    restored_house,
    restoring,
    stored_objects,
    whole_files,
)
from config.backups.key_bundle import Identity, KeysLocked, Passphrase, Recipient
from config.backups.manifest import BackupDamaged, BackupManifest, NoBackup
from config.backups.whole_files import NoRoomForBackup
from config.core import clock
from config.core.storage import private_storage
from generation.gallery import own_images
from generation.models import GeneratedImage
from provenance.keys import key_folder
from provenance.log import own_keys, transparency_log
from tests.factories import make_image, make_model, png

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def filled(alice: User, settings: Settings, tmp_path: Path) -> GeneratedImage:
    """A house with a picture and an entry in the log, its files and keys in folders of its own."""
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "house" / "keys"
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage",
             "OPTIONS": {"location": str(tmp_path / "house" / "media")}}  # fmt: skip
    settings.STORAGES = settings.STORAGES | {"private": place}
    own_keys.make()
    transparency_log.append(kind="test.noted", subject=uuid4(), body={}, at=clock.now())
    transparency_log.sequence(at=clock.now())
    return make_image(alice, make_model())


@pytest.fixture
def words(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text("a safe in another town\n")
    return path


@pytest.fixture
def backup(filled: GeneratedImage, words: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "backup"
    call_command("backup", str(folder), f"--passphrase-file={words}")
    return folder


def faults(folder: Path) -> list[str]:
    return list(restored_house.faults(folder, say=lambda _: None))


def test_backup_says_what_is_in_it(backup: Path, filled: GeneratedImage) -> None:
    said = manifest.read(backup)
    assert said.counts["generation_generatedimage"] == 1
    assert said.checkpoint == transparency_log.latest_checkpoint().note
    assert said.missing == ()
    listed = stored_objects.listed(backup / manifest.OBJECTS_LIST)
    assert [each.name for each in listed] == [str(filled.file)]
    assert (backup / "objects" / str(filled.file)).read_bytes() == png()
    assert (backup / manifest.DUMP).read_bytes()[:5] == b"PGDMP"
    assert faults(backup) == []


def test_private_key_is_nowhere_in_clear(backup: Path, settings: Settings) -> None:
    secret = (settings.PROOFSHEET_KEYS_DIR / "log.key").read_bytes().splitlines()[1]
    for path in [*backup.rglob("*"), backup.with_name("backup.keys")]:
        if path.is_file():
            assert secret not in path.read_bytes(), path
            assert path.stat().st_mode & 0o777 == 0o600
    assert not list(backup.glob("*key*"))


def test_files_are_nobody_elses(backup: Path) -> None:
    for path in [backup, *backup.rglob("*")]:
        assert path.stat().st_mode & 0o077 == 0, path


@pytest.mark.parametrize("name", ["manifest.json", "database.dump", "objects.jsonl"])
def test_altered_backup_is_not_restored(backup: Path, name: str) -> None:
    path = backup / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    with pytest.raises((BackupDamaged, NoBackup), match=name):
        list(restored_house.faults(backup, say=lambda _: None))


def test_cut_off_backup_is_none_and_goes_on_where_it_was(
    filled: GeneratedImage, words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, copied = tmp_path / "backup", whole_files.write
    opened: list[Path] = []

    def noted(path: Path, chunks: Any) -> Any:
        opened.append(path)
        return copied(path, chunks)

    def cut_off(path: Path, chunks: Any) -> Any:
        if path.name == manifest.NAME:
            raise KeyboardInterrupt
        return copied(path, chunks)

    monkeypatch.setattr(whole_files, "write", cut_off)
    with pytest.raises(KeyboardInterrupt):
        call_command("backup", str(folder), f"--passphrase-file={words}")
    with pytest.raises(NoBackup, match="was cut off"):
        manifest.read(folder)
    monkeypatch.setattr(whole_files, "write", noted)
    call_command("backup", str(folder), f"--passphrase-file={words}")
    assert folder / "objects" / str(filled.file) not in opened
    assert faults(folder) == []


def test_resumed_backup_keeps_nothing_that_was_erased_since(
    filled: GeneratedImage, words: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    erased = folder / "objects" / "images" / "erased.png"
    erased.parent.mkdir(parents=True)
    erased.write_bytes(b"of somebody who is gone")
    (folder / manifest.UNFINISHED).touch()
    call_command("backup", str(folder), f"--passphrase-file={words}")
    assert not erased.exists()
    assert faults(folder) == []


def test_keys_go_over_no_other_file(filled: GeneratedImage, words: Path, tmp_path: Path) -> None:
    letter = tmp_path / "letter"
    letter.write_text("of another")
    with pytest.raises(CommandError, match="is there already and is no file of keys"):
        call_command(
            "backup", str(tmp_path / "b"), f"--passphrase-file={words}", f"--keys={letter}"
        )
    assert letter.read_text() == "of another"


def test_keys_are_taken_after_the_database(
    filled: GeneratedImage, words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a key that took over between them would have signed what nobody can go on with."""
    dumped = database_dump.dump

    def noted(path: Path, **said: Any) -> Any:
        assert not (tmp_path / "b.keys").exists()
        return dumped(path, **said)

    monkeypatch.setattr(database_dump, "dump", noted)
    call_command("backup", str(tmp_path / "b"), f"--passphrase-file={words}")
    assert (tmp_path / "b.keys").exists()


def test_folder_without_a_name_is_told(
    filled: GeneratedImage, words: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CommandError, match="other files"):
        call_command("backup", ".", f"--passphrase-file={words}")
    with pytest.raises(CommandError, match="no backup"):
        call_command("restore", ".", f"--passphrase-file={words}")


@pytest.mark.parametrize("name", ["database.dump", "objects.jsonl", "manifest.json"])
def test_full_disk_is_told_and_leaves_no_whole_backup(
    filled: GeneratedImage, words: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "backup"
    folder.mkdir()
    (folder / manifest.UNFINISHED).touch()
    (folder / f"{name}.part").symlink_to("/dev/full")  # the kernel's own "no space left"
    with pytest.raises(CommandError, match="The disk is full, so the backup is not whole"):
        call_command("backup", str(folder), f"--passphrase-file={words}")
    with pytest.raises(NoBackup):
        manifest.read(folder)
    call_command("backup", str(folder), f"--passphrase-file={words}")
    assert faults(folder) == []


def test_backup_does_not_go_where_something_is(backup: Path, words: Path, tmp_path: Path) -> None:
    said = f"--passphrase-file={words}"
    with pytest.raises(CommandError, match="whole backup in .* already"):
        call_command("backup", str(backup), said)
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter").touch()
    with pytest.raises(CommandError, match="other files"):
        call_command("backup", str(tmp_path / "other"), said)
    with pytest.raises(CommandError, match="among the files"):
        call_command("backup", str(tmp_path / "house" / "media" / "backup"), said)
    with pytest.raises(CommandError, match="a place of their own"):
        call_command("backup", str(tmp_path / "new"), said, f"--keys={tmp_path / 'new' / 'k'}")


def test_house_that_is_there_is_not_restored_over(backup: Path, words: Path) -> None:
    with pytest.raises(CommandError, match="there is a house in it"):
        call_command("restore", str(backup), f"--passphrase-file={words}")


def test_backup_of_a_newer_release_is_refused(backup: Path, words: Path) -> None:
    said = manifest.read(backup)
    newer = (*said.migrations, ("generation", "9999_later"))
    manifest.write(backup, replace(said, migrations=newer))
    with pytest.raises(CommandError, match="9999_later, which this release .* does not know"):
        call_command("restore", str(backup), f"--passphrase-file={words}")


def test_restore_brings_files_and_keys_and_asks_for_what_it_lacks(
    backup: Path, filled: GeneratedImage, words: Path, tmp_path: Path, settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """All but the database, which the drill restores: here it is in the way."""
    kept = png()
    restored: list[Path] = []
    monkeypatch.setattr(restoring, "_require_empty_database", lambda: None)
    monkeypatch.setattr(database_dump, "restore", restored.append)
    monkeypatch.setattr(restoring, "call_command", lambda *_, **__: None)  # nor made anew
    new = tmp_path / "new"
    settings.PROOFSHEET_KEYS_DIR = new / "keys"
    place = {"BACKEND": "django.core.files.storage.FileSystemStorage",
             "OPTIONS": {"location": str(new / "media")}}  # fmt: skip
    settings.STORAGES = settings.STORAGES | {"private": place}
    with pytest.raises(CommandError, match="--keys FILE"):
        call_command("restore", str(backup))
    wrong = tmp_path / "wrong"
    wrong.write_text("another passphrase\n")
    with pytest.raises(CommandError, match="cannot be opened"):
        call_command("restore", str(backup), f"--passphrase-file={wrong}")
    assert not new.exists()

    other = tmp_path / "other.keys"
    key_folder.load_or_make(tmp_path / "other")
    other.write_bytes(key_bundle.lock(tmp_path / "other", Passphrase("a safe in another town")))
    old = tmp_path / "old.keys"
    old.write_bytes(key_bundle.lock(tmp_path / "house/keys", Passphrase("a safe in another town")))
    for bundle in (other, old):
        with pytest.raises(CommandError, match="keys of another backup"):
            call_command("restore", str(backup), f"--passphrase-file={words}", f"--keys={bundle}")
    assert not any(path.is_file() for path in new.rglob("*"))

    stranger = private_storage().save("images/stranger.png", ContentFile(b"x"))
    with pytest.raises(CommandError, match="images/stranger.png, which is not of this backup"):
        call_command("restore", str(backup), f"--passphrase-file={words}")
    private_storage().delete(stranger)
    half = private_storage().save(str(filled.file), ContentFile(kept[:7]))  # a run that was cut off
    call_command("restore", str(backup), f"--passphrase-file={words}")
    assert (new / "media" / half).read_bytes() == kept
    assert restored == [backup / manifest.DUMP]
    assert (new / "keys" / "log.key").stat().st_mode & 0o777 == 0o600
    assert faults(backup) == []


def test_another_houses_keys_are_not_gone_on_with(
    backup: Path, words: Path, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(restoring, "_require_empty_database", lambda: None)
    settings.PROOFSHEET_KEYS_DIR = tmp_path / "foreign"
    key_folder.load_or_make(tmp_path / "foreign")
    with pytest.raises(CommandError, match="another house's keys"):
        call_command("restore", str(backup), f"--passphrase-file={words}")
    assert [fault for fault in faults(backup) if "signed the newest checkpoint" in fault]


def test_what_differs_from_the_backup_is_told(
    backup: Path, filled: GeneratedImage, settings: Settings
) -> None:
    place = private_storage().path(str(filled.file))
    Path(place).write_bytes(b"another")
    settings.SECRET_KEY = "another" * 10
    said = manifest.read(backup)
    more = {name: said.counts[name] + 1 for name in ("provenance_leaf", "django_session")}
    manifest.write(backup, replace(said, counts=said.counts | more))
    told = " ".join(faults(backup))
    assert f"{str(filled.file)} in the storage is not what was backed up." in told
    assert "SECRET_KEY is another" in told
    leaves = more["provenance_leaf"]
    assert f"provenance_leaf has {leaves - 1} rows, and had {leaves}." in told
    assert "django_session" not in told  # sessions end
    with pytest.raises(SystemExit):
        call_command("verify_restore", str(backup))


def test_log_that_lacks_what_the_backup_had_is_told(backup: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE provenance_checkpoint, provenance_leaf, provenance_node CASCADE")
    transparency_log.sequence(at=clock.now())
    assert [fault for fault in faults(backup) if "does not go on from the backup's" in fault]


def test_file_deleted_meanwhile_is_known_to_be_missing(
    filled: GeneratedImage, alice: User, words: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    copied, name = stored_objects.copy_out, str(filled.file)

    def while_its_owner_deletes_it(*places: Any) -> Any:
        own_images.delete_image(filled.id, by=alice, at=clock.now())
        private_storage().delete(name)  # the row's own storage is that of all tests
        return copied(*places)

    monkeypatch.setattr(stored_objects, "copy_out", while_its_owner_deletes_it)
    folder = tmp_path / "backup"
    call_command("backup", str(folder), f"--passphrase-file={words}")
    said = manifest.read(folder)
    assert (said.missing, said.lost) == ((name,), ())
    GeneratedImage.objects.filter(pk=filled.pk).update(file=name, deleted_at=None)  # as restored
    assert faults(folder) == []


def test_backup_that_lacks_what_rows_name_is_not_called_whole(
    filled: GeneratedImage, words: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private_storage().delete(str(filled.file))  # as where another folder is mounted
    folder = tmp_path / "backup"
    with pytest.raises(CommandError, match="1 of the files that rows name are not in the storage"):
        call_command("backup", str(folder), f"--passphrase-file={words}")
    assert "whole backup" not in capsys.readouterr().out
    said = manifest.read(folder)
    assert (said.missing, said.lost) == ((), (str(filled.file),))
    assert faults(folder) == [f"A row names {filled.file}, and the storage has no such file."]


def test_backup_without_keys_says_so(filled: GeneratedImage, tmp_path: Path) -> None:
    call_command("backup", str(tmp_path / "backup"), "--without-keys")
    said: BackupManifest = manifest.read(tmp_path / "backup")
    assert said.keys.file is None
    assert not (tmp_path / "backup.keys").exists()


Lock = Callable[[Path], tuple[Passphrase | Recipient, Passphrase | Identity]]


def by_passphrase(folder: Path) -> tuple[Passphrase, Passphrase]:
    return Passphrase("a long passphrase"), Passphrase("a long passphrase")


def by_recipient(folder: Path) -> tuple[Recipient, Identity]:
    private = X25519PrivateKey.generate()
    none = serialization.NoEncryption()
    pem, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    (folder / "private.pem").write_bytes(private.private_bytes(pem, form, none))
    public = serialization.PublicFormat.SubjectPublicKeyInfo
    (folder / "public.pem").write_bytes(private.public_key().public_bytes(pem, public))
    return Recipient.read(folder / "public.pem"), Identity.read(folder / "private.pem")


@pytest.mark.parametrize("make", [by_passphrase, by_recipient])
def test_keys_come_out_as_they_went_in_and_for_nobody_else(make: Lock, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.mkdir()
    (keys / "log.key").write_bytes(b"a secret")
    (keys / "keys.json").write_bytes(b"{}")
    lock_with, opened_by = make(tmp_path)
    data = key_bundle.lock(keys, lock_with)
    assert b"secret" not in data
    assert key_bundle.unlock(data, opened_by) == {"log.key": b"a secret", "keys.json": b"{}"}
    others = (Passphrase("another passphrase"), Identity(X25519PrivateKey.generate()))
    for other in others:
        with pytest.raises(KeysLocked):
            key_bundle.unlock(data, other)
    for place in (5, data.index(b"\n") + 3, len(data) - 1):
        bad = bytearray(data)
        bad[place] ^= 1
        with pytest.raises(KeysLocked):
            key_bundle.unlock(bytes(bad), opened_by)


def test_short_passphrase_and_what_is_no_key_are_refused(tmp_path: Path) -> None:
    with pytest.raises(key_bundle.LockUnusable, match="too short"):
        Passphrase("short")
    (tmp_path / "no.pem").write_text("no key")
    with pytest.raises(key_bundle.LockUnusable, match="cannot be read as a key"):
        Recipient.read(tmp_path / "no.pem")


def test_no_room_is_an_error_with_advice() -> None:
    assert "goes on where it was" in NoRoomForBackup().advice
