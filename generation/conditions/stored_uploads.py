"""Files of a request that is being created: they go again where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from django.core.files.base import ContentFile

from config.core import disk_full
from config.core.storage import StorageAway
from generation.conditions.wanted_images import WantedInitImage
from generation.models import private_storage


@dataclass(frozen=True, slots=True)
class StoredNames:
    """Of files in the private storage; empty where there is none."""

    picture: str = ""
    mask: str = ""


@contextmanager
def stored(wanted: WantedInitImage | None) -> Iterator[StoredNames]:
    """The names under which an upload and a mask are stored. Stored again nowhere: they are deleted
    when what is done inside fails. Raises disk_full.StorageFull."""
    with ExitStack() as kept:
        yield StoredNames(
            picture=kept.enter_context(_stored(wanted.data if wanted else None)),
            mask=kept.enter_context(_stored(wanted.mask.data if wanted and wanted.mask else None)),
        )


@contextmanager
def _stored(data: bytes | None) -> Iterator[str]:
    if data is None:
        yield ""
        return
    storage, name = private_storage(), f"sources/{uuid4()}"
    try:
        with disk_full.writing():
            name = storage.save(name, ContentFile(data))
        yield name
    except BaseException:
        with suppress(StorageAway):  # what went wrong first is told
            storage.delete(name)
        raise
