"""A backup of a house that runs: database, files, keys, and what it should be when it is back.

The database comes first, as of one moment; files come after it, so that none is missing which a
row of that moment names, but those that were deleted meanwhile: what rows name even then is lost.
The manifest is written last.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.files.storage import Storage
from django.db import connection, transaction

from config.backups import database_dump, key_bundle, manifest, stored_objects, whole_files
from config.backups.key_bundle import Passphrase, Recipient
from config.backups.manifest import BackedUpKeys, BackupManifest
from config.backups.whole_files import FileMark
from config.core.errors import ProofsheetError
from config.core.storage import private_storage
from config.launch.private_files import FOLDER_MODE
from config.runtime import applied_migrations
from config.storage import reconciling
from provenance.keys.installed_keys import keyring
from provenance.log.formats import checkpoint
from provenance.models import Checkpoint

Say = Callable[[str], object]


class FolderTaken(ProofsheetError):
    """A backup cannot be written there."""

    default_code = "backup_folder_taken"
    default_advice = "Name a folder that is not there yet, or is empty."


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where the encrypted keys go, and what they are locked with."""

    path: Path
    lock_with: Passphrase | Recipient


@dataclass(frozen=True, slots=True)
class _Moment:
    """What the database held when it was dumped."""

    database: FileMark
    checkpoint: str
    counts: dict[str, int]
    names: set[str]


def make(folder: Path, *, keys: KeyPlace | None, at: datetime, say: Say) -> BackupManifest:
    """Raises FolderTaken, NoRoomForBackup, DumpFailed, StorageAway, KeysUnusable."""
    storage = private_storage()
    _check_places(folder, keys, storage)
    _begin(folder)
    say("database")
    moment = _moment(folder)
    say("keys" if keys else "keys: only their public halves")
    kept_keys = _keys(keys)  # those that signed what was dumped, and what took over since
    say(f"files: {len(moment.names)} that rows name")
    found: list[stored_objects.StoredObject] = []

    def lines() -> Iterator[bytes]:
        for each in stored_objects.copy_out(storage, folder / manifest.OBJECTS):
            found.append(each)
            yield stored_objects.line_of(each)

    objects_list = whole_files.write(folder / manifest.OBJECTS_LIST, lines())
    stored_objects.keep_only({each.name for each in found}, folder / manifest.OBJECTS)
    os.sync()
    absent = moment.names - {each.name for each in found}
    lost = absent and absent.intersection(reconciling.named())
    said = BackupManifest(
        release=settings.PROOFSHEET_VERSION,
        made_at=at.isoformat(timespec="seconds"),
        postgres=str(_asked("SHOW server_version")),
        migrations=tuple(applied_migrations.applied()),
        database=moment.database,
        objects_list=objects_list,
        objects=len(found),
        objects_bytes=sum(each.mark.bytes for each in found),
        missing=tuple(sorted(absent - lost)),
        lost=tuple(sorted(lost)),
        keys=kept_keys,
        origin=settings.PROOFSHEET_LOG_ORIGIN,
        checkpoint=moment.checkpoint,
        counts=moment.counts,
    )
    manifest.write(folder, said)
    return said


def _check_places(folder: Path, keys: KeyPlace | None, storage: Storage) -> None:
    if stored_objects.is_in_folder(folder, storage):
        raise FolderTaken(message=f"{folder} lies among the files that are to be backed up.")
    if keys and keys.path.resolve().is_relative_to(folder.resolve()):
        raise FolderTaken(message="The keys go to a place of their own, not into the backup.")
    if keys and keys.path.exists() and not key_bundle.is_one(keys.path):
        raise FolderTaken(
            message=f"{keys.path} is there already and is no file of keys.",
            advice="Name another file for the keys.",
        )


def _begin(folder: Path) -> None:
    """Take a folder that is new, or one of a backup that was cut off."""
    there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if manifest.NAME in there:
        raise FolderTaken(message=f"There is a whole backup in {folder} already.")
    if there and manifest.UNFINISHED not in there:
        raise FolderTaken(message=f"There are other files in {folder}.")
    folder.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    folder.chmod(FOLDER_MODE)
    whole_files.write(folder / manifest.UNFINISHED, [])


def _moment(folder: Path) -> _Moment:
    """Dump, counts and checkpoint of one snapshot, which is held for no longer than that."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        head = Checkpoint.objects.order_by("-tree_size").first()
        snapshot = str(_asked("SELECT pg_export_snapshot()"))
        database = database_dump.dump(folder / manifest.DUMP, snapshot=snapshot)
        return _Moment(
            database=database,
            checkpoint=head.note if head else "",
            counts=counts(),
            names=set(reconciling.named()),
        )


def counts() -> dict[str, int]:
    """Rows by table."""
    models = apps.get_models(include_auto_created=True)
    tables = sorted({model._meta.db_table for model in models if model._meta.managed})
    there = set(connection.introspection.table_names())
    quote = connection.ops.quote_name
    return {
        name: int(str(_asked(f"SELECT count(*) FROM {quote(name)}")))
        for name in tables
        if name in there
    }


def _keys(place: KeyPlace | None) -> BackedUpKeys:
    file = None
    if place:
        folder = Path(settings.PROOFSHEET_KEYS_DIR)
        file = whole_files.write(place.path, [key_bundle.lock(folder, place.lock_with)])
    origin = settings.PROOFSHEET_LOG_ORIGIN
    log_keys = tuple(checkpoint.verifier_key(origin, key) for key in keyring().log_verifiers())
    return BackedUpKeys(file, log_keys, secret_key_sha256())


def secret_key_sha256() -> str:
    """A digest of SECRET_KEY, which has fifty random characters or more, and says nothing of it."""
    return hashlib.sha256(b"proofsheet SECRET_KEY\0" + settings.SECRET_KEY.encode()).hexdigest()


def _asked(statement: str) -> object:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (told,) = cursor.fetchone()
    return told
