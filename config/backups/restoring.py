"""A house out of a backup: into a place where there is none, and so that it can be run again.

Files first, then keys, and the database at last and in one transaction: as long as it is empty
there is no house, and what was copied by a run that was cut off is passed over by the next.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.core.management import call_command
from django.db import connection

from config.backups import database_dump, key_bundle, manifest, stored_objects, whole_files
from config.backups.key_bundle import Identity, Passphrase
from config.backups.manifest import BackupDamaged, BackupManifest
from config.backups.stored_objects import StoredObject
from config.core.errors import ProofsheetError
from config.core.storage import private_storage
from config.launch.private_files import FOLDER_MODE
from config.runtime import applied_migrations
from provenance.keys import key_folder
from provenance.keys.installed_keys import keyring
from provenance.keys.key_folder import Keyring
from provenance.log.formats import checkpoint

Say = Callable[[str], object]


class HouseThere(ProofsheetError):
    """A restore would mix a backup with what is there already."""

    default_code = "house_there"
    default_advice = "Restore into an empty database, an empty storage and an empty keys folder."
    default_status = 409


class ReleaseTooOld(ProofsheetError):
    """The backup is of a newer release than this one."""

    default_code = "release_too_old"
    default_advice = (
        "Install the release that made the backup, or a later one, and restore with it."
    )


class KeysWanted(ProofsheetError):
    """Without its keys a house cannot go on with its log."""

    default_code = "keys_wanted"
    default_message = "The keys folder holds none of the keys that this backup's log is signed by."
    default_advice = "Give the encrypted keys of the backup: --keys FILE, with what opens them."


def restore(
    folder: Path, *, keys: tuple[Path, Passphrase | Identity] | None, say: Say
) -> BackupManifest:
    """Raises NoBackup, BackupDamaged, HouseThere, ReleaseTooOld, KeysWanted, KeysLocked, and then
    nothing was changed; DumpFailed, StorageAway and StorageFull.
    """
    said = manifest.read(folder)
    _require_known_release(said)
    _require_empty_database()
    say("looking at the backup")
    told = objects_of(folder, said)
    manifest.require_whole(folder / manifest.DUMP, said.database)
    storage = private_storage()
    if name := next(stored_objects.strangers(told, storage), None):
        raise HouseThere(message=f"The storage holds {name}, which is not of this backup.")
    files = _opened(said, keys)
    say(f"files: {said.objects}")
    stored_objects.copy_in(folder / manifest.OBJECTS, told, storage)
    say("keys")
    _put_keys(files, Path(settings.PROOFSHEET_KEYS_DIR))
    say("database")
    database_dump.restore(folder / manifest.DUMP)
    call_command("migrate", interactive=False, verbosity=0)
    if settings.DATABASE_OWNER_URL:
        call_command("grant_role", settings.DATABASE_ROLE, verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return said


def objects_of(folder: Path, said: BackupManifest) -> list[StoredObject]:
    """The list of the backup's files. Raises BackupDamaged."""
    path = folder / manifest.OBJECTS_LIST
    manifest.require_whole(path, said.objects_list)
    return stored_objects.listed(path)


def _require_known_release(said: BackupManifest) -> None:
    if newer := applied_migrations.of_another_release(set(said.migrations)):
        raise ReleaseTooOld(
            message=f"The backup is of release {said.release} and has had {newer[-1]}, which this "
            f"release ({settings.PROOFSHEET_VERSION}) does not know."
        )


def _require_empty_database() -> None:
    if tables := connection.introspection.table_names():
        raise HouseThere(
            message=f"The database holds {len(tables)} tables already: there is a house in it."
        )


def _opened(
    said: BackupManifest, keys: tuple[Path, Passphrase | Identity] | None
) -> dict[str, bytes]:
    """The keys folder's files; none where the folder has the house's own already."""
    folder = Path(settings.PROOFSHEET_KEYS_DIR)
    if key_folder.has_keys(folder):
        if not _can_go_on(said, keyring()):
            raise HouseThere(message="The keys folder holds another house's keys, or older ones.")
        return {}
    if keys is None:
        raise KeysWanted
    path, opened_by = keys
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BackupDamaged(message=f"{path} cannot be read: {error.strerror}.") from error
    files = key_bundle.unlock(data, opened_by)
    folder.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    with TemporaryDirectory(dir=folder.parent) as there:  # on no other disk than they belong on
        _put_keys(files, Path(there))
        is_own = _can_go_on(said, key_folder.load_made(Path(there)))
    if not is_own or (said.keys.file and whole_files.mark_of(path) != said.keys.file):
        raise KeysWanted(message=f"{path} holds the keys of another backup.")
    return files


def _put_keys(files: dict[str, bytes], folder: Path) -> None:
    """The plan at last: it says which of the others are in use."""
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    for name in sorted(files, key=lambda name: name == key_folder.PLAN):
        key_folder.write(folder / name, files[name])


def _can_go_on(said: BackupManifest, keys: Keyring) -> bool:
    """A house goes on with its own keys alone, and with one that signed last."""
    signers = [key.public for key in keys.log_keys if key.private]
    if not said.checkpoint:
        known = {checkpoint.verifier_key(said.origin, key) for key in signers}
        return bool(known & set(said.keys.log_keys))
    try:
        checkpoint.verify_by_any(said.checkpoint, origin=said.origin, keys=signers)
    except checkpoint.NoteInvalid:
        return False
    return True
