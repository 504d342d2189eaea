"""Where an upload lies until it is judged: streamed to this host's disk, counted and hashed on the
way, and from there into the storage, where that is not a folder of this host.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from config.core import disk_full
from config.core.storage import StorageAway, place_of, private_storage

FOLDER = "quarantine"
FIELD = "file"


def new_draft() -> Path:
    """A file of this host to be written: in quarantine where that is a folder of it."""
    name = f"{FOLDER}/{uuid4()}.safetensors"
    place = place_of(name, private_storage()) or Path(gettempdir()) / Path(name).name
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


def enter(draft: Path) -> str:
    """Put an upload that is written into quarantine; its name there. Raises StorageAway and
    StorageFull, and then keeps nothing."""
    name = f"{FOLDER}/{draft.name}"
    if place_of(name, private_storage()) == draft:
        return name
    return keep(draft, name)


def keep(draft: Path, name: str) -> str:
    """Move a file of this host into the storage; one that is there already is the same one.

    Raises StorageAway, StorageFull.
    """
    storage = private_storage()
    if (place := place_of(name, storage)) is not None:
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(draft, place)
        return name
    try:
        with disk_full.writing(), draft.open("rb") as content:
            _save(name, File(content))
    finally:
        draft.unlink(missing_ok=True)
    return name


def move(name: str, to: str) -> str:
    """Into its content-addressed place; a file that is there already is the same one.

    Raises StorageAway, StorageFull.
    """
    storage = private_storage()
    if (place := place_of(name, storage)) is not None:
        return keep(place, to)
    with storage.open(name) as content:
        _save(to, content)
    storage.delete(name)
    return to


def _save(name: str, content: File[bytes]) -> None:
    storage = private_storage()
    if not storage.exists(name) and (stored := storage.save(name, content)) != name:
        storage.delete(stored)  # somebody else was first


def lost(*, before: datetime) -> list[str]:
    """What was last written earlier than that: perhaps nobody's any more."""
    storage, found = private_storage(), []
    with suppress(FileNotFoundError):  # nothing was uploaded yet
        for file in storage.listdir(FOLDER)[1]:
            with suppress(FileNotFoundError):  # judged and moved at this moment
                if storage.get_modified_time(f"{FOLDER}/{file}") < before:
                    found.append(f"{FOLDER}/{file}")
    return found


def discard(name: str) -> None:
    """Only what still lies in quarantine: accepted files may have several owners. While the storage
    is away it stays until `clear_quarantine`."""
    if name.startswith(f"{FOLDER}/"):
        with suppress(StorageAway):
            erase(name)


def erase(name: str) -> None:
    """For good, wherever it lies; the caller has made sure that no row names it."""
    private_storage().delete(name)


class Quarantined(UploadedFile):  # type: ignore[type-arg] # takes none at run time
    """A whole upload in quarantine. `is_too_large` ones were cut at the limit and not kept."""

    def __init__(
        self, *, stored_as: str, sha256: str, is_too_large: bool, name: str, size: int
    ) -> None:
        super().__init__(name=name, size=size)
        self.stored_as, self.sha256, self.is_too_large = stored_as, sha256, is_too_large

    def discard(self) -> None:
        discard(self.stored_as)

    def close(self) -> None:
        """Nothing is open; Django closes every upload of a request that it cannot read."""


class QuarantineHandler(FileUploadHandler):
    """Takes one file, the first in the field `file`, up to PROOFSHEET_ADAPTER_MAX_BYTES.

    Of others it writes nothing.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        if self.field_name != FIELD or hasattr(self, "_file"):
            raise SkipFile
        self._limit = settings.PROOFSHEET_ADAPTER_MAX_BYTES
        self._digest = hashlib.sha256()
        self._size = 0
        self._is_whole = False
        self._draft = new_draft()
        with disk_full.writing():
            self._file = self._draft.open("wb", buffering=0)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        self._size += len(raw_data)
        if self._size <= self._limit:
            self._digest.update(raw_data)
            self._keep(raw_data)

    def _keep(self, raw_data: bytes) -> None:
        rest = memoryview(raw_data)
        try:
            with disk_full.writing():
                while rest:
                    rest = rest[self._file.write(rest) :]
        except disk_full.StorageFull:
            self.upload_interrupted()
            raise

    def file_complete(self, file_size: int) -> Quarantined:
        self._file.close()
        self._is_whole = True
        is_too_large = self._size > self._limit
        if is_too_large:
            self._draft.unlink(missing_ok=True)
        return Quarantined(
            stored_as="" if is_too_large else enter(self._draft),
            sha256=self._digest.hexdigest(),
            is_too_large=is_too_large,
            name=self.file_name or "adapter.safetensors",
            size=self._size,
        )

    def upload_interrupted(self) -> None:
        """Django says so too when what follows the file is skipped: what is whole stays."""
        if hasattr(self, "_file") and not self._is_whole:
            self._file.close()
            self._draft.unlink(missing_ok=True)
