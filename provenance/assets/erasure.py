"""Erasing what is kept about a picture, while the log that proves it stays whole.

The record goes with its salt, fingerprints, thumbnail and manifest: without the salt the log's
commitments say nothing. A tombstone is appended, and every earlier proof still verifies.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction

from config.core import content_files
from config.core.holds import asking
from provenance.log import transparency_log
from provenance.models import MANIFESTS, Asset

ASSET_ERASED = "asset.erased"
ERASED = ["record", "salt", "fingerprints", "thumbnail", "manifest"]


def erase(asset_ids: Iterable[UUID], *, at: datetime) -> int:
    """Erase these records and append a tombstone for each; returns how many there were.

    In the caller's transaction, so that their content elsewhere goes with them or not at all. An
    asset that was erased before, or never marked, is passed over. Raises asking.UnderHold where
    one of them is held.
    """
    with transaction.atomic():
        asset_ids = set(asset_ids)
        asking.require_free_things(asset_ids, at=at)
        found = dict(
            Asset.objects.select_for_update()
            .filter(id__in=asset_ids)
            .order_by("id")
            .values_list("id", "manifest_sha256")
        )
        for asset_id in found:  # the database deletes no record without its tombstone
            transparency_log.append(
                kind=ASSET_ERASED, subject=asset_id, body={"erased": ERASED}, at=at
            )
        Asset.objects.filter(id__in=found).delete()
        transaction.on_commit(lambda: content_files.discard(MANIFESTS, found.values()), robust=True)
    return len(found)
