"""What a backup says of itself. It is written last: a folder without it is no backup."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from config.backups import whole_files
from config.backups.whole_files import FileMark
from config.core.errors import ProofsheetError

FORMAT = 1
NAME, UNFINISHED, DUMP, OBJECTS, OBJECTS_LIST = (
    "manifest.json", "unfinished", "database.dump", "objects", "objects.jsonl",
)  # fmt: skip


class NoBackup(ProofsheetError):
    """There is no whole backup in that folder."""

    default_code = "no_backup"
    default_message = "There is no whole backup in this folder."
    default_advice = "Name the folder that `manage.py backup` was given and has finished."


class BackupDamaged(ProofsheetError):
    """A file of the backup is not what was written."""

    default_code = "backup_damaged"
    default_message = "A file of the backup is not what was written."
    default_advice = "Take another copy of it, or the backup before."


@dataclass(frozen=True, slots=True)
class BackedUpKeys:
    """`file` is what the encrypted bundle was called, `log_keys` are the log's public ones, and the
    last a digest by which the house knows its SECRET_KEY again."""

    file: FileMark | None
    log_keys: tuple[str, ...]
    secret_key_sha256: str


@dataclass(frozen=True, slots=True)
class BackupManifest:
    """`checkpoint` is the log's newest note, empty before the first. `counts` are rows by table, of
    the same moment as the dump; `missing` are files that were deleted between dump and copy, `lost`
    those that rows still named then and the storage did not have."""

    release: str
    made_at: str
    postgres: str
    migrations: tuple[tuple[str, str], ...]
    database: FileMark
    objects_list: FileMark
    objects: int
    objects_bytes: int
    missing: tuple[str, ...]
    lost: tuple[str, ...]
    keys: BackedUpKeys
    origin: str
    checkpoint: str
    counts: dict[str, int]


def write(folder: Path, manifest: BackupManifest) -> None:
    """Make the folder a backup. Raises NoRoomForBackup."""
    said = {"format": FORMAT, **asdict(manifest)}
    whole = json.dumps({"sha256": _digest(said), **said}, indent=1)
    whole_files.write(folder / NAME, [whole.encode()])
    (folder / UNFINISHED).unlink(missing_ok=True)


def read(folder: Path) -> BackupManifest:
    """Raises NoBackup."""
    if not (folder / NAME).exists():
        if (folder / UNFINISHED).exists():
            raise NoBackup(
                message=f"The backup in {folder} was cut off and is not whole.",
                advice="Run `manage.py backup` into it again: it goes on where it was.",
            )
        raise NoBackup(message=f"There is no backup in {folder}.")
    try:
        return _parsed(json.loads((folder / NAME).read_bytes()))
    except (ValueError, KeyError, TypeError) as error:
        raise NoBackup(message=f"{folder / NAME} cannot be read: {error}.") from error


def _digest(said: dict[str, Any]) -> str:
    """Against a disk that forgets; whoever may write the backup may write this too."""
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _parsed(said: dict[str, Any]) -> BackupManifest:
    if said.pop("sha256") != _digest(said):
        raise ValueError("it is not what was written")
    if said.pop("format") != FORMAT:
        raise ValueError("another release's format")
    keys = said.pop("keys")
    file = keys["file"]
    return BackupManifest(
        migrations=tuple((app, name) for app, name in said.pop("migrations")),
        database=FileMark(**said.pop("database")),
        objects_list=FileMark(**said.pop("objects_list")),
        missing=tuple(said.pop("missing")),
        lost=tuple(said.pop("lost")),
        keys=BackedUpKeys(
            FileMark(**file) if file else None, tuple(keys["log_keys"]), keys["secret_key_sha256"]
        ),
        **said,
    )


def require_whole(path: Path, mark: FileMark) -> None:
    """Whether a file of the backup is what was written. Raises BackupDamaged."""
    try:
        found = whole_files.mark_of(path)
    except OSError as error:
        raise BackupDamaged(
            message=f"{path.name} of the backup cannot be read: {error.strerror}."
        ) from error
    if found != mark:
        raise BackupDamaged(message=f"{path.name} of the backup is not what was written.")
