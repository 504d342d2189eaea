"""Manifests by what stays in a picture without its metadata (C2PA Soft Binding Resolution API).

A binding's value is the text that stands in the manifest: the watermark's identifier in
hexadecimal, or the ISCC Image-Code.

A manifest holds a thumbnail of a picture that may be private, and everybody reads assets' ids in
the log. So a manifest has an id of its own here, the asset's under a key: only who has the picture,
or a part of it, learns it.
"""

import hmac
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from provenance import fingerprint, iscc, pictures, records, watermark
from provenance.claims import SOFT_BINDING_ALGORITHM
from provenance.errors import ProofsheetError
from provenance.installation import keyring, signer
from provenance.models import Asset

WATERMARKS, FINGERPRINTS = (SOFT_BINDING_ALGORITHM,), (iscc.ALGORITHM,)
MOST_RESULTS, MOST_VALUE_CHARACTERS = 100, 1024
_FIELDS = {SOFT_BINDING_ALGORITHM: "watermark_id", iscc.ALGORITHM: "image_code"}


class AlgorithmUnknown(ProofsheetError):
    default_code = "soft_binding_unknown"
    default_message = "This repository does not know that soft binding algorithm."
    default_advice = "Ask services/supportedAlgorithms which ones it knows."
    default_status = 400


class NoSuchManifest(ProofsheetError):
    default_code = "no_such_manifest"
    default_message = "This repository holds no manifest of that id."
    default_advice = "Its record may have been erased."
    default_status = 404


@dataclass(frozen=True, slots=True)
class ManifestMatch:
    """A manifest that a binding leads to; `score` 0 to 100 says how alike the pictures are."""

    manifest_id: UUID
    score: int


def by_value(algorithm: str, value: str, *, limit: int) -> list[ManifestMatch]:
    """The manifests that carry this very binding. Raises `AlgorithmUnknown`."""
    field = _FIELDS.get(algorithm)
    if field is None:
        raise AlgorithmUnknown
    if not value:
        return []
    ids = Asset.objects.filter(**{field: value}).order_by("created_at").values_list("id", flat=True)
    return [ManifestMatch(manifest_id_of(found), 100) for found in ids[:limit]]


def by_content(data: bytes) -> list[ManifestMatch]:
    """The manifest that a picture's own marks lead to, where the two look alike.

    Raises:
        pictures.PictureUnreadable: the file is no picture that can be looked at.
    """
    picture = pictures.read(data)
    reading = signer().read(data, picture.mime)
    detection = watermark.detect(picture.pixels, key=keyring().watermark_key)
    match = records.find(
        picture.pixels,
        asset_id=reading.asset_id,
        sha256=sha256(data).hexdigest(),
        detection=detection,
    )
    if match is None or not match.is_same_picture or match.distance is None:
        return []
    score = round(100 * (1 - match.distance / fingerprint.BITS))
    return [ManifestMatch(manifest_id_of(match.asset.id), score)]


def manifest_id_of(asset_id: UUID) -> UUID:
    """The id under which the manifest of an asset is handed out."""
    return UUID(bytes=_permutation().encryptor().update(asset_id.bytes))


def _permutation() -> Cipher[modes.ECB]:
    """AES on one block: each id has exactly one image, and the way back needs the key."""
    key = hmac.digest(keyring().pseudonym_key, b"manifest-id", sha256)[:16]
    return Cipher(algorithms.AES(key), modes.ECB())


def manifest_of(manifest_id: UUID) -> bytes:
    """The manifest store under that id. Raises `NoSuchManifest`."""
    asset_id = UUID(bytes=_permutation().decryptor().update(manifest_id.bytes))
    found = Asset.objects.filter(id=asset_id).values_list("manifest", flat=True).first()
    if found is None:
        raise NoSuchManifest
    return bytes(found)
