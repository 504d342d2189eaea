"""The file of an adapter on this host: the storage's own where that is a folder, else a copy.

Copies lie in a folder of bounded size under the digest that the adapter's name in the storage is
made of. One is used only once that was compared, is fetched once however many ask, and makes room
for others when it was not used for long.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

from django.conf import settings

from adapters.models import Adapter
from config.core import disk_full
from config.core.content_files import ContentAltered, ContentMissing
from config.core.storage import place_of, private_storage

IN_USE_S = 60.0
"""For so long after it was asked for, a copy is not deleted: its reader may not have opened it."""
CHUNK_BYTES = 1024 * 1024


def path_of(adapter: Adapter) -> Path:
    """Where the engine reads it.

    Raises StorageAway, StorageFull, ContentMissing, ContentAltered.
    """
    name = str(adapter.file.name)
    return place_of(name, private_storage()) or _copy_of(name)


def _copy_of(name: str) -> Path:
    folder = Path(settings.PROOFSHEET_ADAPTER_CACHE_DIR)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = Path(name).stem
    copy = folder / Path(name).name
    with disk_full.writing(), _only_one(folder / f"{digest}.lock"):
        if not copy.exists():
            _fetch(name, digest, copy)
            _make_room(folder)
        os.utime(copy)
    return copy


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Of all threads and processes of this host."""
    with lock.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _fetch(name: str, digest: str, to: Path) -> None:
    part = to.with_name(f"{digest}.{uuid4()}.part")
    found = hashlib.sha256()
    try:
        with private_storage().open(name) as stored, part.open("wb") as file:
            for chunk in stored.chunks(CHUNK_BYTES):
                found.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
        if found.hexdigest() != digest:
            raise ContentAltered
        part.replace(to)
    except FileNotFoundError as error:
        raise ContentMissing from error
    finally:
        part.unlink(missing_ok=True)


def _make_room(folder: Path) -> None:
    """Delete what was asked for longest ago, and what a killed process left of a copy."""
    files = []
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # somebody else makes room too
            files.append((path.stat().st_mtime, path.stat().st_size, path))
    held = sum(size for _, size, _ in files)
    for used_at, size, path in sorted(files):
        is_left_over = path.suffix == ".part"
        is_over = held > settings.PROOFSHEET_ADAPTER_CACHE_MAX_BYTES
        if used_at > time.time() - IN_USE_S or not (is_left_over or is_over and size):
            continue
        path.unlink(missing_ok=True)
        held -= size
