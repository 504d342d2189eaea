"""The storage's files in a folder of the backup, and back. A file never changes under its name, so
what is there whole already is passed over."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from django.core.files.base import File
from django.core.files.storage.base import Storage
from django.core.files.utils import validate_file_name

from config.backups import whole_files
from config.backups.manifest import BackupDamaged
from config.backups.whole_files import CHUNK_BYTES, FileMark
from config.core import disk_full
from config.core.storage import place_of
from config.storage import copying


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A file of the storage, and what it is told by."""

    name: str
    mark: FileMark


def copy_out(storage: Storage, folder: Path) -> Iterator[StoredObject]:
    """Every file into the folder. Raises StorageAway, NoRoomForBackup."""
    for name in copying.names(storage):
        path = _path(folder, name)
        try:
            if path.exists() and path.stat().st_size == storage.size(name):
                yield StoredObject(name, whole_files.mark_of(path))
                continue
            with storage.open(name) as file:
                yield StoredObject(name, whole_files.write(path, file.chunks(CHUNK_BYTES)))
        except FileNotFoundError:
            continue  # deleted meanwhile


def keep_only(names: set[str], folder: Path) -> None:
    """What a run that was cut off had copied, and which was deleted since, goes from the backup."""
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in names:
            path.unlink()


def copy_in(folder: Path, told: list[StoredObject], storage: Storage) -> int:
    """Every file of the backup into the storage; returns how many had to be written.

    Raises BackupDamaged, StorageAway and StorageFull; a second run goes on where it was.
    """
    written = 0
    for each in told:
        if storage.exists(each.name):
            if storage.size(each.name) == each.mark.bytes:
                continue
            storage.delete(each.name)  # one that was cut off
        path = _path(folder, each.name)
        if not path.is_file() or whole_files.mark_of(path) != each.mark:
            raise BackupDamaged(message=f"{each.name} of the backup is not what was written.")
        with disk_full.writing(), path.open("rb") as file:
            storage.save(each.name, File(file))
        written += 1
    return written


def strangers(told: list[StoredObject], storage: Storage) -> Iterator[str]:
    """Files of the storage that the backup does not have, or has otherwise. Raises StorageAway."""
    known = {each.name: each.mark.bytes for each in told}
    for name in copying.names(storage):
        is_part = name in known and storage.size(name) < known[name]
        if name not in known or (storage.size(name) != known[name] and not is_part):
            yield name


def altered(told: list[StoredObject], storage: Storage) -> Iterator[str]:
    """What the storage does not hold as it was. Raises StorageAway."""
    for each in told:
        try:
            is_whole = copying.digest_of(each.name, storage) == each.mark.sha256
        except FileNotFoundError:
            is_whole = False
        if not is_whole:
            yield each.name


def line_of(each: StoredObject) -> bytes:
    """How the list says it."""
    said = {"name": each.name, "bytes": each.mark.bytes, "sha256": each.mark.sha256}
    return json.dumps(said).encode() + b"\n"


def listed(path: Path) -> list[StoredObject]:
    """The list of a backup that was found whole. Raises OSError, ValueError."""
    rows = (json.loads(line) for line in path.read_bytes().splitlines())
    return [
        StoredObject(row["name"], FileMark(int(row["bytes"]), str(row["sha256"]))) for row in rows
    ]


def is_in_folder(folder: Path, storage: Storage) -> bool:
    """Whether the backup would lie among the files that it copies."""
    place = place_of("", storage)
    return place is not None and folder.resolve().is_relative_to(place.resolve())


def _path(folder: Path, name: str) -> Path:
    """Raises SuspiciousFileOperation for a name that leads out of the folder."""
    return folder / str(validate_file_name(name, allow_relative_path=True))
