"""The marks of one image as its page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from provenance.models import Asset, Leaf


@dataclass(frozen=True, slots=True)
class Credentials:
    """`log_index` is None until the sequencer has given the entry its leaf."""

    asset_id: UUID
    watermark_id: str
    manifest_sha256: str
    file_sha256: str
    fingerprint: str
    log_index: int | None
    provider: str
    system: str
    signed_at: datetime


def credentials_of(asset_id: UUID) -> Credentials | None:
    """The credentials of an image, or None when it was never sealed."""
    asset = Asset.objects.filter(id=asset_id).first()
    if asset is None:
        return None
    leaf = Leaf.objects.filter(entry__subject=asset.id).order_by("index").first()
    return Credentials(
        asset_id=asset.id,
        watermark_id=asset.watermark_id,
        manifest_sha256=asset.manifest_sha256,
        file_sha256=asset.sha256,
        fingerprint=bytes(asset.fingerprint).hex(),
        log_index=leaf.index if leaf else None,
        provider=asset.provider,
        system=f"{asset.system_name} {asset.system_version}",
        signed_at=asset.created_at,
    )
