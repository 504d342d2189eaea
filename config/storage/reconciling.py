"""Files that no row names, as a killed process leaves them, and rows whose file is gone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import PurePosixPath

from django.core.files.storage.base import Storage
from django.db.models import Model

from adapters.models import Adapter
from config.core.content_files import name_of
from config.core.projects.models import Project
from config.storage.copying import names
from generation.models import GeneratedImage, SourcePicture
from moderation.models import Export
from provenance.models import MANIFESTS, Asset

BATCH = 500


@dataclass(frozen=True, slots=True)
class NamedFiles:
    """A folder of the storage and the columns that name what lies in it; by digest alone where
    that is what its files are called.
    """

    folder: str
    columns: tuple[tuple[type[Model], str], ...]
    is_by_digest: bool = False

    def named_among(self, found: list[str]) -> set[str]:
        """Those of the names that a row has."""
        by_value = {self._value(name): name for name in found}
        named: set[str] = set()
        for model, column in self.columns:
            rows = model._default_manager.filter(**{f"{column}__in": list(by_value)})
            named.update(by_value[value] for value in rows.values_list(column, flat=True))
        return named

    def names_of_rows(self) -> Iterator[str]:
        """What rows say that lies there."""
        for model, column in self.columns:
            rows = model._default_manager.exclude(**{column: ""}).order_by("pk")
            for value in rows.values_list(column, flat=True).iterator():
                yield name_of(self.folder, value) if self.is_by_digest else str(value)

    def _value(self, name: str) -> str:
        return PurePosixPath(name).name if self.is_by_digest else name


# Example pictures (adapters/examples/) are named by the evidence of cases too, and uploads in
# quarantine have a sweep of their own: neither is looked at here.
FOLDERS = (
    NamedFiles("images", ((GeneratedImage, "file"),)),
    NamedFiles("sources", ((SourcePicture, "file"), (SourcePicture, "mask"))),
    NamedFiles("exports", ((Export, "file"),)),
    NamedFiles("logos", ((Project, "notice_logo"),)),
    NamedFiles(MANIFESTS, ((Asset, "manifest_sha256"),), is_by_digest=True),
    NamedFiles("adapters", ((Adapter, "file"), (Adapter, "original"))),
)


def unnamed(storage: Storage, *, before: datetime) -> Iterator[str]:
    """Files that no row names and that were last written before then: one that was just stored
    waits for its row. Raises StorageAway.
    """
    for kept in FOLDERS:
        found = (
            name for name in names(storage, kept.folder) if not name.startswith("adapters/examples")
        )
        while batch := list(islice(found, BATCH)):
            named = kept.named_among(batch)
            for name in batch:
                if name not in named and storage.get_modified_time(name) < before:
                    yield name


def missing(storage: Storage) -> Iterator[str]:
    """What rows name and the storage has not, quarantine left out. Raises StorageAway."""
    return (name for name in named() if not storage.exists(name))


def named() -> Iterator[str]:
    """All files that rows name, quarantine left out."""
    for kept in FOLDERS:
        yield from (name for name in kept.names_of_rows() if name.startswith(f"{kept.folder}/"))
