"""Every file of one storage into another, compared by what they hold; a run can be repeated."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field

from django.core.files.storage.base import Storage

from config.core.content_files import ContentMissing
from config.storage.private_s3 import PrivateS3

CHUNK_BYTES = 1024 * 1024


@dataclass
class Copied:
    """`there` had been copied before; `failed` are names, each with the reason."""

    copied: int = 0
    there: int = 0
    failed: list[tuple[str, str]] = field(default_factory=list)


def names(storage: Storage, folder: str = "") -> Iterator[str]:
    """Of all files, in the order of their folders. Raises StorageAway."""
    if isinstance(storage, PrivateS3):
        yield from storage.names_in(folder)
        return
    try:
        folders, files = storage.listdir(folder)
    except FileNotFoundError:  # emptied meanwhile, or nothing was ever kept
        return
    before = f"{folder}/" if folder else ""
    yield from (f"{before}{name}" for name in sorted(files))
    for name in sorted(folders):
        yield from names(storage, f"{before}{name}")


def digest_of(name: str, storage: Storage) -> str:
    """SHA-256, hexadecimal. Raises FileNotFoundError, StorageAway."""
    found = hashlib.sha256()
    with storage.open(name) as file:
        for chunk in file.chunks(CHUNK_BYTES):
            found.update(chunk)
    return found.hexdigest()


def copy_all(source: Storage, target: Storage) -> Copied:
    """Raises StorageAway and StorageFull; what was copied until then is passed over next time."""
    done = Copied()
    for name in names(source):
        try:
            _copy(name, source, target, done)
        except FileNotFoundError:
            continue  # deleted meanwhile
        except ContentMissing as error:
            done.failed.append((name, error.message))
    return done


def _copy(name: str, source: Storage, target: Storage, done: Copied) -> None:
    digest = digest_of(name, source)
    if target.exists(name):
        if digest_of(name, target) == digest:
            done.there += 1
        else:
            done.failed.append((name, "another file of that name is there already"))
        return
    with source.open(name) as file:
        stored = target.save(name, file)
    if stored == name and digest_of(name, target) == digest:
        done.copied += 1
        return
    target.delete(stored)
    done.failed.append((name, "what arrived is not what was sent"))
