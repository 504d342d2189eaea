"""Where an upload lies until it is judged: streamed to disk, counted and hashed on the way."""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler, SkipFile

from config.core import disk_full
from config.core.storage import private_storage

FOLDER = "quarantine"
FIELD = "file"


def path_of(name: str) -> Path:
    """A stored file's place on this host's disk."""
    return Path(private_storage().path(name))


def new_name() -> str:
    """A name in quarantine that nothing has; its folder is there."""
    path_of(FOLDER).mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"{FOLDER}/{uuid4()}.safetensors"


def move(name: str, to: str) -> str:
    """Into its content-addressed place; a file that is there already is the same one."""
    target = path_of(to)
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(path_of(name), target)
    return to


def lost(*, before: datetime) -> list[str]:
    """What was last written earlier than that: perhaps nobody's any more."""
    found = []
    for path in path_of(FOLDER).glob("*"):
        with suppress(FileNotFoundError):  # judged and moved at this moment
            if path.stat().st_mtime < before.timestamp():
                found.append(f"{FOLDER}/{path.name}")
    return found


def discard(name: str) -> None:
    """Only what still lies in quarantine: accepted files may have several owners."""
    if name.startswith(f"{FOLDER}/"):
        path_of(name).unlink(missing_ok=True)


def erase(name: str) -> None:
    """For good, wherever it lies; the caller has made sure that no row names it."""
    path_of(name).unlink(missing_ok=True)


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
        self._stored_as = new_name()
        with disk_full.writing():
            self._file = path_of(self._stored_as).open("wb", buffering=0)

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
            discard(self._stored_as)
        return Quarantined(
            stored_as=self._stored_as,
            sha256=self._digest.hexdigest(),
            is_too_large=is_too_large,
            name=self.file_name or "adapter.safetensors",
            size=self._size,
        )

    def upload_interrupted(self) -> None:
        """Django says so too when what follows the file is skipped: what is whole stays."""
        if hasattr(self, "_file") and not self._is_whole:
            self._file.close()
            discard(self._stored_as)
