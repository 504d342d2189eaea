"""Private files: storage that no URL serves, in a folder of this host or behind a network."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.core.files.storage import storages
from django.core.files.storage.base import Storage

from config.core.errors import ProofsheetError


class StorageAway(ProofsheetError):
    """A storage behind a network does not answer at the moment."""

    default_code = "storage_away"
    default_message = "The storage of files does not answer at the moment."
    default_advice = "Try again in a minute; if it goes on, tell the operator."
    default_status = 503


class StorageRefused(StorageAway):
    """It answers, and refuses the house as it is set up: that does not pass by itself."""

    default_code = "storage_refused"
    default_message = "The storage of files refuses what this house asks of it."
    default_advice = "Tell the operator: its settings are wrong. What was accepted waits meanwhile."


def private_storage() -> Storage:
    """Where files lie that leave it through a view alone, which checks who asks."""
    return storages["private"]


@contextmanager
def local_copy(name: str, storage: Storage | None = None) -> Iterator[Path]:
    """A stored file as a path on this host, for as long as the block runs; to be read only.

    In a folder of this host it is the file itself, else a copy that is deleted after the block.
    Raises FileNotFoundError.
    """
    kept_in = storage or private_storage()
    place = place_of(name, kept_in)
    if place is not None:
        yield place
        return
    with NamedTemporaryFile(suffix=Path(name).suffix) as copy:
        with kept_in.open(name) as stored:
            shutil.copyfileobj(stored, copy)
        copy.flush()
        yield Path(copy.name)


def place_of(name: str, storage: Storage) -> Path | None:
    """The file's path on this host; None where the storage has no folder."""
    try:
        return Path(storage.path(name))
    except NotImplementedError:  # how Django's storages say that they have no folder
        return None
