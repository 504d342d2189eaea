"""The marks of one picture in the order of the work: embed, (the caller screens), seal, record.

`embed` and `seal` touch no database; `record` writes in the caller's transaction.
"""

import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

import cv2
import numpy as np
from django.conf import settings
from numpy.typing import NDArray

from config.core import content_files
from provenance.keys.installed_keys import keyring
from provenance.log import transparency_log
from provenance.manifests import manifest_stores
from provenance.manifests.content_credentials import SignedFile
from provenance.manifests.definition import Box, ManifestClaim, Parent
from provenance.manifests.signing_context import signer
from provenance.marks import fingerprint, iscc, perceptual_match, visible_label, watermark
from provenance.marks.visible_label import VisibleLabel
from provenance.models import MANIFESTS, Asset, ManifestName
from provenance.pictures.decoder import Mime

_CODECS: dict[Mime, tuple[str, list[int]]] = {
    "image/jpeg": (
        ".jpg",
        [
            *(cv2.IMWRITE_JPEG_QUALITY, 95),
            *(cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444),
        ],
    ),
    "image/webp": (".webp", [cv2.IMWRITE_WEBP_QUALITY, 95]),
}
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
    label: VisibleLabel | None = None


@dataclass(frozen=True, slots=True)
class SealedImage:
    """The signed file, what its manifest says of it, and what later pictures are compared with;
    digests are hexadecimal.
    """

    signed: SignedFile
    claim: ManifestClaim
    original: perceptual_match.Original
    sha256: str
    manifest_sha256: str

    @property
    def data(self) -> bytes:
        """The file as it is delivered."""
        return self.signed.data

    @property
    def manifest(self) -> bytes:
        """The C2PA manifest store by itself."""
        return self.signed.manifest

    @property
    def fingerprint(self) -> bytes:
        """PDQ of the marked pixels, 32 bytes."""
        return self.original.fingerprint


def embed(
    pixels: NDArray[np.uint8], *, asset_id: UUID, label: VisibleLabel | None = None
) -> MarkedPixels:
    """Watermark uint8 [H, W, 3] RGB pixels with an identifier derived from the asset's id; encode.

    A label is drawn first, so that the watermark lies over it too. The same asset gets the same
    identifier, so a repeated attempt makes the same picture.
    """
    if label is not None:
        pixels = visible_label.draw(pixels, label)
    key = keyring().watermark_key
    identifier = watermark_id_of(asset_id, key=key)
    marked = watermark.embed(pixels, identifier, key=key)
    return MarkedPixels(marked, identifier, encode_png(marked), label)


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


def encode(pixels: NDArray[np.uint8], mime: Mime) -> bytes:
    """uint8 [H, W, 3] RGB pixels as a file of that format, without metadata.

    JPEG without chroma subsampling and WebP, both at a quality that costs the watermark nothing.
    """
    if mime == "image/png":
        return encode_png(pixels)
    suffix, parameters = _CODECS[mime]
    is_done, buffer = cv2.imencode(suffix, cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), parameters)
    assert is_done, "OpenCV encodes every uint8 picture"
    return buffer.tobytes()


def seal(
    marked: MarkedPixels,
    *,
    asset_id: UUID,
    created_at: datetime,
    system: SystemInfo,
    parent: Parent | None = None,
    repainted: Box | None = None,
    observed: bool = True,
    mime: Mime = "image/png",
) -> SealedImage:
    """Sign the marked picture with a C2PA manifest that names the asset, and verify it.

    The signature is of the file in the format that is delivered. A parent is the picture that this
    one was made from; it makes this one altered, in the part `repainted` where that is given. What
    was not observed while it was made comes from an archive, and needs its parent.

    Raises:
        SigningFailed: the file could not be signed, or did not verify afterwards.
    """
    claim = ManifestClaim(
        asset_id=str(asset_id),
        system_name=system.name,
        system_version=system.version,
        model=system.model,
        created_at=created_at,
        watermark_id=f"{marked.watermark_id:016x}",
        provider=settings.PROOFSHEET_PROVIDER,
        aigc_producer=settings.PROOFSHEET_AIGC_PRODUCER,
        is_altered=parent is not None,
        image_code=iscc.image_code(marked.pixels),
        is_observed=observed,
        visible_label=(marked.label.text, marked.label.position) if marked.label else None,
        repainted=repainted,
        conversion=parent.conversion(mime) if parent else "",
    )
    plain = marked.png if mime == "image/png" else encode(marked.pixels, mime)
    original = perceptual_match.original_of(marked.pixels)
    signed = signer().sign(plain, mime, claim=claim, parent=parent, thumbnail=original.thumbnail)
    digests = sha256(signed.data).hexdigest(), sha256(signed.manifest).hexdigest()
    return SealedImage(signed, claim, original, *digests)


def record(
    sealed: SealedImage,
    *,
    asset_id: UUID,
    owner_pseudonym: str,
    at: datetime,
    commit_to: Mapping[str, str] | None = None,
) -> Asset:
    """Store the asset and append its log entry, both in the caller's transaction. The manifest, and
    in it the small picture, goes into the storage, where the row's digest finds it.

    The entry holds digests; `owner_pseudonym` and the values of `commit_to` (prompt, settings, …)
    go in as salted commitments only. Raises StorageFull, and `IntegrityError` when the asset was
    recorded before.
    """
    salt, claim = secrets.token_bytes(32), sealed.claim
    content_files.keep(MANIFESTS, sealed.manifest)
    asset = Asset.objects.create(
        id=asset_id,
        watermark_id=claim.watermark_id,
        sha256=sealed.sha256,
        width=sealed.original.width,
        height=sealed.original.height,
        fingerprint=sealed.fingerprint,
        image_code=claim.image_code,
        fingerprint_bands=fingerprint.bands(sealed.fingerprint),
        manifest_sha256=sealed.manifest_sha256,
        salt=salt,
        provider=claim.provider,
        system_name=claim.system_name,
        system_version=claim.system_version,
        system_model=claim.model,
        created_at=claim.created_at,
        is_altered=claim.is_altered,
        is_observed=claim.is_observed,
        is_timestamped=sealed.signed.is_timestamped,
    )
    if urn := manifest_stores.active_urn(sealed.manifest):
        ManifestName.objects.create(asset=asset, urn=urn)
    body = _entry_body(sealed, salt, {"owner": owner_pseudonym, **(commit_to or {})})
    transparency_log.append(kind="asset.marked", subject=asset_id, body=body, at=at)
    return asset


def _entry_body(sealed: SealedImage, salt: bytes, hidden: Mapping[str, str]) -> dict[str, Any]:
    """What the log is told: digests, and commitments that say nothing once the salt is erased."""
    secret: dict[str, str | bytes] = {
        **hidden,
        "fingerprint": sealed.fingerprint,
        "watermark": sealed.claim.watermark_id,
    }
    return {
        "sha256": sealed.sha256,
        "manifest_sha256": sealed.manifest_sha256,
        "created_or_altered": "altered" if sealed.claim.is_altered else "created",
        "making_observed": sealed.claim.is_observed,
        "commitments": {
            name: transparency_log.commitment(salt, value) for name, value in secret.items()
        },
    }


def pseudonym(user_id: int) -> str:
    """A keyed pseudonym of a user for `record`, hexadecimal."""
    return hmac.digest(keyring().pseudonym_key, f"user:{user_id}".encode(), sha256).hex()
