"""Checking what the log says about one record: the entry's contents, and its place in the tree."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.core.content_files import ContentAltered, ContentMissing
from provenance.log import timestamping, transparency_log
from provenance.log.formats import canonical_json, checkpoint, merkle
from provenance.log.transparency_log import ASSET_MARKED as ASSET_MARKED
from provenance.models import Asset, LogEntry

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class CheckedEntry:
    """`index` is None while the entry waits for its place; `fault` says what does not hold.

    `written_at` is what a good entry says; `dated_at` is when a timestamping authority saw the tree
    with the entry in it.
    """

    index: int | None
    tree_size: int | None = None
    fault: str = ""
    dated_at: datetime | None = None
    written_at: datetime | None = None

    @property
    def is_good(self) -> bool:
        return self.index is not None and not self.fault


def of_asset(asset: Asset) -> LogEntry | None:
    """The entry that was written when the picture was marked."""
    entries = LogEntry.objects.select_related("leaf")
    return entries.filter(kind=ASSET_MARKED, subject=asset.id).order_by("id").first()


def check(asset: Asset) -> CheckedEntry:
    """Whether the entry about an asset says what its record says, and is in the signed tree."""
    entry = of_asset(asset)
    if entry is None:
        return CheckedEntry(None, fault="The log holds no entry about this record.")
    index = entry.leaf.index if hasattr(entry, "leaf") else None
    if not _agrees(asset, bytes(entry.body)):
        return CheckedEntry(index, fault="The record was changed after the log was written.")
    if index is None:
        return CheckedEntry(None)
    try:
        head = transparency_log.verify_proof(transparency_log.prove_inclusion(index))
    except (merkle.ProofInvalid, checkpoint.NoteInvalid, transparency_log.NotInLog) as error:
        return CheckedEntry(index, fault=error.message)
    dated = timestamping.of_leaf(index)
    return CheckedEntry(
        index,
        head.tree_size,
        dated_at=dated.dated_at if dated else None,
        written_at=datetime.fromisoformat(canonical_json.decode(bytes(entry.body))["at"]),
    )


def _agrees(asset: Asset, body: bytes) -> bool:
    try:
        record = canonical_json.decode(body)
        told: Mapping[str, Any] = record["body"]
        commitments: Mapping[str, str] = told["commitments"]
    except (canonical_json.NotCanonical, KeyError, TypeError):
        return False
    salt = bytes(asset.salt)
    return (
        record["subject"] == str(asset.id)
        and told["sha256"] == asset.sha256
        and told["manifest_sha256"] == asset.manifest_sha256
        and _is_as_kept(asset)
        and commitments["fingerprint"]
        == transparency_log.commitment(salt, bytes(asset.fingerprint))
        and commitments["watermark"] == transparency_log.commitment(salt, asset.watermark_id)
    )


def _is_as_kept(asset: Asset) -> bool:
    """Whether the manifest in the storage is the one that the row names. One that is lost there has
    changed nothing: its digest still stands in the row and in the log.
    """
    try:
        asset.manifest_store()
    except ContentAltered:
        return False
    except ContentMissing as error:
        logger.error("asset %s: %s", asset.id, error.message)
    return True
