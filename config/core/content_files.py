"""Private files under the digest of what they hold: written once, and told when they are not it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

from django.core.files.base import ContentFile

from config.core import disk_full
from config.core.errors import ProofsheetError
from config.core.storage import place_of, private_storage


class ContentMissing(ProofsheetError):
    """The storage does not hold what was kept there."""

    default_code = "content_missing"
    default_message = "The house's storage has lost its copy of this file."
    default_advice = "Tell the operator: it has to come back from a backup of the storage."
    default_status = 503


class ContentAltered(ProofsheetError):
    """What lies there is not what was kept."""

    default_code = "content_altered"
    default_message = "The house's copy of this file is not what was kept: its digest differs."
    default_advice = "Tell the operator: it has to come back from a backup of the storage."
    default_status = 503


def name_of(folder: str, digest: str) -> str:
    """Where the storage keeps it. By its first digits, 65,536 folders share what would be one."""
    return f"{folder}/{digest[:2]}/{digest[2:4]}/{digest}"


def keep(folder: str, data: bytes) -> str:
    """Store `data`, whole or not at all, and return its digest; on the disk of a host before this
    returns. Raises StorageFull.
    """
    digest = sha256(data).hexdigest()
    name, storage = name_of(folder, digest), private_storage()
    place = place_of(name, storage)
    with disk_full.writing():
        if place is not None:
            own = f"{name}.{uuid4().hex}.part"  # else who is done deletes what another just began
            part = storage.save(own, ContentFile(b""))  # with a private file's rights
            _replace(place, Path(storage.path(part)), data)
        elif not storage.exists(name):  # behind a network a file is there whole, or it is not
            stored = storage.save(name, ContentFile(data))
            if stored != name:  # somebody else was first
                storage.delete(stored)
    return digest


def _replace(place: Path, part: Path, data: bytes) -> None:
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, place)
    finally:
        part.unlink(missing_ok=True)
    folder = os.open(place.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read(folder: str, digest: str) -> bytes:
    """What was kept under that digest. Raises ContentMissing, ContentAltered."""
    try:
        with private_storage().open(name_of(folder, digest)) as file:
            data: bytes = file.read()
    except FileNotFoundError as error:
        raise ContentMissing from error
    return checked(data, digest)


def checked(data: bytes, digest: str) -> bytes:
    """The same bytes. Raises ContentAltered."""
    if sha256(data).hexdigest() != digest:
        raise ContentAltered
    return data


def discard(folder: str, digests: Iterable[str]) -> None:
    """Delete them; one that is gone already is passed over."""
    storage = private_storage()
    for digest in digests:
        storage.delete(name_of(folder, digest))
