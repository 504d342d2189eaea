"""The file of an adapter on this host: the storage's own where that is a folder, else a copy.

Copies lie in a folder of bounded size under the digest that the adapter's name in the storage is
made of. One is used only once that was compared, is fetched once however many ask, and makes room
for others when it was not used for long.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import gettempdir
from typing import BinaryIO

from django.conf import settings

from adapters.models import Adapter
from config.core import disk_full
from config.core.content_files import ContentAltered, ContentMissing
from config.core.storage import place_of, private_storage
from generation.request_rules.failures import AdapterCacheFull

IN_USE_S = 60.0
"""For so long after it was asked for, a copy is not deleted: its reader may not have opened it."""
CHUNK_BYTES = 1024 * 1024


def path_of(adapter: Adapter) -> Path:
    """Where the engine reads it.

    Raises StorageAway, AdapterCacheFull, ContentMissing, ContentAltered.
    """
    name = str(adapter.file.name)
    return place_of(name, private_storage()) or copy_of(name)


def copy_of(name: str) -> Path:
    """This host's own copy of a file in the storage that is called by its digest."""
    copy = Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR) / Path(name).name
    part = copy.with_suffix(".part")
    with disk_full.writing(AdapterCacheFull):
        copy.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        while not _is_used(copy):
            with _only_one(part) as file:
                if file is not None and not copy.exists():
                    _fetch(name, part, file)
                    part.replace(copy)
    return copy


def _is_used(copy: Path) -> bool:
    """Whether it is there; it then stays for `IN_USE_S`."""
    with (copy.parent / "lock").open("wb") as lock, suppress(FileNotFoundError):
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.utime(copy)
        return True
    return False


@contextmanager
def _only_one(part: Path) -> Iterator[BinaryIO | None]:
    """The file for who writes it, alone among all threads and processes of this host; None for
    who waited until somebody else had. It does not outlast the block under this name.
    """
    with part.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        if not _is_at(part, file):
            yield None
            return
        try:
            yield file
        finally:
            if _is_at(part, file):  # else it is the copy now, and there it may be another's
                part.unlink()


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False


def _fetch(name: str, part: Path, file: BinaryIO) -> None:
    found = hashlib.sha256()
    file.truncate(0)  # what a killed process left
    try:
        storage = private_storage()
        _make_room(part.parent, for_bytes=storage.size(name))
        with storage.open(name) as stored:
            for chunk in stored.chunks(CHUNK_BYTES):
                found.update(chunk)
                file.write(chunk)
    except FileNotFoundError as error:
        raise ContentMissing from error
    file.flush()
    os.fsync(file.fileno())
    if found.hexdigest() != part.stem:
        raise ContentAltered


def _make_room(folder: Path, *, for_bytes: int) -> None:
    """Delete what was asked for longest ago, and what a killed process left of a copy. Where the
    temporary folder shares the disk, a second one passes through it. Raises AdapterCacheFull.
    """
    passed = Path(settings.FILE_UPLOAD_TEMP_DIR or gettempdir())
    wanted = for_bytes * (2 if passed.stat().st_dev == folder.stat().st_dev else 1)
    with (folder / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for part in folder.glob("*.part"):
            _clear(part)
        files = sorted(
            (path.stat().st_mtime, path.stat().st_size, path)
            for path in folder.glob("*.safetensors")
        )
        held = sum(size for _, size, _ in files) + for_bytes
        for used_at, size, path in files:
            is_over = held > settings.PROOFSHEET_ADAPTER_CACHE_MAX_BYTES
            if not is_over and _free_bytes(folder) > wanted:
                return
            if used_at < time.time() - IN_USE_S:
                path.unlink()
                held -= size
        if _free_bytes(folder) <= wanted:
            raise AdapterCacheFull


def _clear(part: Path) -> None:
    """Unless somebody writes it."""
    with suppress(FileNotFoundError, BlockingIOError), part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if _is_at(part, file):
            part.unlink()


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free
