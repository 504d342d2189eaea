"""Moves the manifests of old rows into the storage, where new ones lie from the beginning.

A row is emptied only after its manifest was read back from the storage as it was, and both under
the row's lock: whoever is interrupted begins again with what is left, and an erasure in between
takes row and file. The database's own trigger lets go of nothing that the digest does not name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from django.db import transaction

from config.core import content_files
from provenance.manifests import manifest_stores
from provenance.models import MANIFESTS, Asset

BATCH = 200


@dataclass(frozen=True, slots=True)
class Moved:
    """How many of a batch moved, and which stay: their own digest or thumbnail is not the one that
    their manifest has."""

    moved: int
    staying: tuple[UUID, ...]
    last: UUID


def move() -> Iterator[Moved]:
    """All of them, batch by batch, each committed by itself. Raises StorageFull, ContentMissing."""
    last = UUID(int=0)
    while batch := _move_after(last):
        last = batch.last
        yield batch


def _move_after(last: UUID) -> Moved | None:
    with transaction.atomic():
        in_rows = Asset.objects.exclude(manifest=b"").filter(id__gt=last).order_by("id")
        assets = list(in_rows.select_for_update()[:BATCH])
        if not assets:
            return None
        fit = [asset for asset in assets if _is_whole(asset)]
        for asset in fit:
            digest = content_files.keep(MANIFESTS, bytes(asset.manifest))
            content_files.read(MANIFESTS, digest)
        ids = [asset.id for asset in fit]
        Asset.objects.filter(id__in=ids).update(manifest=b"", thumbnail=b"")
    staying = tuple(asset.id for asset in assets if asset not in fit)
    return Moved(len(fit), staying, assets[-1].id)


def _is_whole(asset: Asset) -> bool:
    store = bytes(asset.manifest)
    return sha256(store).hexdigest() == asset.manifest_sha256 and manifest_stores.thumbnail(
        store
    ) == bytes(asset.thumbnail)
