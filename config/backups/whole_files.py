"""Files of a backup: written whole or not at all, readable by their owner alone, and hashed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from config.core import disk_full
from config.core.errors import ProofsheetError
from config.launch.private_files import FILE_MODE, FOLDER_MODE

CHUNK_BYTES = 1024 * 1024


class NoRoomForBackup(ProofsheetError):
    """The disk that the backup is written to is full."""

    default_code = "backup_full"
    default_message = "The disk is full, so the backup is not whole, and nothing takes it for one."
    default_advice = "Make room and run the same command again: it goes on where it was."
    default_status = 507


@dataclass(frozen=True, slots=True)
class FileMark:
    """What a file is told by: its length and its SHA-256, hexadecimal."""

    bytes: int
    sha256: str


def write(path: Path, chunks: Iterable[bytes]) -> FileMark:
    """Write under another name first. Raises NoRoomForBackup and what `chunks` raises."""
    part, digest, length = path.with_name(f"{path.name}.part"), hashlib.sha256(), 0
    path.parent.mkdir(parents=True, exist_ok=True, mode=FOLDER_MODE)
    try:
        with disk_full.writing(NoRoomForBackup), _opened(part) as file:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                length += len(chunk)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return FileMark(length, digest.hexdigest())


def _opened(path: Path) -> BinaryIO:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.fdopen(os.open(path, flags, FILE_MODE), "wb")


def chunks_of(path: Path) -> Iterator[bytes]:
    """A file bit by bit. Raises OSError."""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


def mark_of(path: Path) -> FileMark:
    """Read all of it. Raises OSError."""
    digest, length = hashlib.sha256(), 0
    for chunk in chunks_of(path):
        digest.update(chunk)
        length += len(chunk)
    return FileMark(length, digest.hexdigest())
