"""The marks of one picture in the order of the work: embed, (the caller screens), seal, record.

`embed` and `seal` touch no database; `record` writes in the caller's transaction.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from provenance import fingerprint, likeness, log, watermark
from provenance.installation import keyring, signer
from provenance.manifests import ManifestClaim
from provenance.models import Asset

FLAT_SHARE = 0.5
"""A picture is flat when more than this share of its pixels equal the one above."""


@dataclass(frozen=True, slots=True)
class SystemInfo:
    """The generating system as a disclosure names it."""

    name: str
    version: str
    model: str


@dataclass(frozen=True, slots=True)
class MarkedPixels:
    """Watermarked pixels, uint8 [H, W, 3] RGB, and the same as PNG: the bytes that the classifier
    sees.
    """

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
    original: likeness.Original
    watermark_id: int
    created_at: datetime
    system: SystemInfo
    is_altered: bool

    @property
    def fingerprint(self) -> bytes:
        """PDQ of the marked pixels, 32 bytes."""
        return self.original.fingerprint


def embed(pixels: NDArray[np.uint8], *, asset_id: UUID) -> MarkedPixels:
    """Watermark uint8 [H, W, 3] RGB pixels with an identifier derived from the asset's id; encode.

    The same asset gets the same identifier, so a repeated attempt makes the same picture.
    """
    key = keyring().watermark_key
    identifier = watermark_id_of(asset_id, key=key)
    marked = watermark.embed(pixels, identifier, key=key)
    return MarkedPixels(marked, identifier, encode_png(marked))


def watermark_id_of(asset_id: UUID, *, key: bytes) -> int:
    """The 64-bit identifier of an asset: keyed, so that it says nothing about the asset's id."""
    return int.from_bytes(hmac.digest(key, b"watermark-id" + asset_id.bytes, sha256)[:8])


def encode_png(pixels: NDArray[np.uint8]) -> bytes:
    """PNG bytes of uint8 [H, W, 3] RGB pixels, without metadata.

    Run lengths alone beat a search for repeats on photographs, in time and bytes; flat drawings
    have repeats worth searching for.
    """
    is_flat = float(np.mean(pixels[1:, :, 1] == pixels[:-1, :, 1])) > FLAT_SHARE
    strategy = cv2.IMWRITE_PNG_STRATEGY_DEFAULT if is_flat else cv2.IMWRITE_PNG_STRATEGY_RLE
    parameters = [cv2.IMWRITE_PNG_COMPRESSION, 3 if is_flat else 1]
    parameters += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]
    parameters += [cv2.IMWRITE_PNG_STRATEGY, strategy]
    is_done, buffer = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    assert is_done, "OpenCV encodes every uint8 picture"
    return buffer.tobytes()


def seal(
    marked: MarkedPixels,
    *,
    asset_id: UUID,
    created_at: datetime,
    system: SystemInfo,
    altered: bool = False,
) -> SealedImage:
    """Sign the marked PNG with a C2PA manifest that names the asset, and verify it.

    Raises:
        manifests.SigningFailed: the file could not be signed, or did not verify afterwards.
    """
    claim = ManifestClaim(
        asset_id=str(asset_id),
        system_name=system.name,
        system_version=system.version,
        model=system.model,
        created_at=created_at,
        watermark_id=f"{marked.watermark_id:016x}",
        is_altered=altered,
    )
    signed = signer().sign(marked.png, "image/png", claim=claim)
    return SealedImage(
        data=signed.data,
        sha256=sha256(signed.data).hexdigest(),
        manifest=signed.manifest,
        manifest_sha256=sha256(signed.manifest).hexdigest(),
        original=likeness.original_of(marked.pixels),
        watermark_id=marked.watermark_id,
        created_at=created_at,
        system=system,
        is_altered=altered,
    )


def record(
    sealed: SealedImage,
    *,
    asset_id: UUID,
    owner_pseudonym: str,
    at: datetime,
    commit_to: Mapping[str, str] | None = None,
) -> Asset:
    """Store the asset and append its log entry, both in the caller's transaction.

    The entry holds digests; `owner_pseudonym` and the values of `commit_to` (prompt, settings, …)
    go in
    as salted commitments only. Raises `IntegrityError` when the asset was recorded before.
    """
    salt = secrets.token_bytes(32)
    asset = Asset.objects.create(
        id=asset_id,
        watermark_id=f"{sealed.watermark_id:016x}",
        sha256=sealed.sha256,
        width=sealed.original.width,
        height=sealed.original.height,
        fingerprint=sealed.fingerprint,
        fingerprint_bands=fingerprint.bands(sealed.fingerprint),
        thumbnail=sealed.original.thumbnail,
        manifest=sealed.manifest,
        manifest_sha256=sealed.manifest_sha256,
        salt=salt,
        provider=settings.PROOFSHEET_PROVIDER,
        system_name=sealed.system.name,
        system_version=sealed.system.version,
        system_model=sealed.system.model,
        created_at=sealed.created_at,
        is_altered=sealed.is_altered,
    )
    hidden = {"owner": owner_pseudonym, **(commit_to or {})}
    commitments = {name: log.commitment(salt, value) for name, value in hidden.items()}
    body = {
        "sha256": sealed.sha256,
        "manifest_sha256": sealed.manifest_sha256,
        "created_or_altered": "altered" if sealed.is_altered else "created",
        "commitments": commitments
        | {
            "fingerprint": log.commitment(salt, sealed.fingerprint),
            "watermark": log.commitment(salt, asset.watermark_id),
        },
    }
    log.append(kind="asset.marked", subject=asset_id, body=body, at=at)
    return asset


def pseudonym(user_id: int) -> str:
    """A keyed pseudonym of a user for `record`, hexadecimal."""
    return hmac.digest(keyring().pseudonym_key, f"user:{user_id}".encode(), sha256).hex()
