"""The marks of one picture in the order of the work: embed, (the caller screens), seal, record.

`embed` and `seal` touch no database; `record` writes in the caller's transaction.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from provenance.models import Asset


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """The generating system as a disclosure names it."""

    name: str
    version: str
    model: str


@dataclass(frozen=True, slots=True)
class MarkedPixels:
    """Watermarked pixels, uint8 [H, W, 3] RGB, and the same as PNG: the bytes that the classifier sees."""

    pixels: NDArray[np.uint8]
    watermark_id: int
    png: bytes


@dataclass(frozen=True, slots=True)
class SealedImage:
    """The signed PNG and everything that the record of it needs."""

    data: bytes
    sha256: str
    manifest: bytes
    manifest_sha256: str
    fingerprint: bytes
    watermark_id: int
    created_at: datetime
    system: SystemInfo
    is_altered: bool


def embed(pixels: NDArray[np.uint8], *, asset_id: UUID) -> MarkedPixels:
    """Watermark uint8 [H, W, 3] RGB pixels with an identifier derived from the asset's id, and encode them as PNG."""
    raise NotImplementedError


def seal(marked: MarkedPixels, *, asset_id: UUID, created_at: datetime, system: SystemInfo, altered: bool = False) -> SealedImage:
    """Sign the marked PNG with a C2PA manifest that names the asset, and verify it."""
    raise NotImplementedError


def record(sealed: SealedImage, *, asset_id: UUID, owner_pseudonym: str, at: datetime) -> Asset:
    """Store the asset and append its log entry, both in the caller's transaction."""
    raise NotImplementedError
