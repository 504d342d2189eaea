"""Manifests by what stays in a picture without its metadata (C2PA Soft Binding Resolution API).

A binding's value is the text that stands in the manifest: the watermark's identifier in
hexadecimal, or the ISCC Image-Code.

A manifest holds a thumbnail of a picture that may be private, and everybody reads assets' ids in
the log. A manifest is found by its own name, which is random: only who has the picture, or a part
of it, learns it.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256

from config.core.errors import ProofsheetError
from provenance.keys.installed_keys import keyring
from provenance.manifests import manifest_stores
from provenance.manifests.definition import SOFT_BINDING_ALGORITHM
from provenance.manifests.signing_context import signer
from provenance.marks import fingerprint, iscc, watermark
from provenance.models import Asset, ManifestName
from provenance.pictures import decoder
from provenance.verify import asset_lookup, submitted_files

WATERMARKS, FINGERPRINTS = (SOFT_BINDING_ALGORITHM,), (iscc.ALGORITHM,)
MOST_RESULTS, MOST_VALUE_CHARACTERS = 100, 1024
# C2PA 2.x, 8.2 "Unique identifiers"; earlier writers put their name before it, or `uuid` in it.
_URN = re.compile(
    r"(?:[\w.\- ]{1,64}:)?urn:(?:c2pa|uuid):[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"(?::[\w.\-]{0,64}){0,2}",
    re.ASCII | re.IGNORECASE,
)
_FIELDS = {SOFT_BINDING_ALGORITHM: "watermark_id", iscc.ALGORITHM: "image_code"}


class AlgorithmUnknown(ProofsheetError):
    """A soft binding that no manifest of this repository carries."""

    default_code = "soft_binding_unknown"
    default_message = "This repository does not know that soft binding algorithm."
    default_advice = "Ask services/supportedAlgorithms which ones it knows."
    default_status = 400


class NoSuchManifest(ProofsheetError):
    """No manifest has that id, or it went with its erased record."""

    default_code = "no_such_manifest"
    default_message = "This repository holds no manifest of that id."
    default_advice = "Its record may have been erased."
    default_status = 404


class ManifestIdMalformed(ProofsheetError):
    """An id that no manifest can have."""

    default_code = "manifest_id_malformed"
    default_message = "That is no manifest's identifier."
    default_advice = "Send one that a match named, such as urn:c2pa: and a UUID."
    default_status = 400


@dataclass(frozen=True, slots=True)
class ManifestMatch:
    """A manifest that a binding leads to; `score` 0 to 100 says how alike the pictures are."""

    manifest_id: str
    score: int


@dataclass(frozen=True, slots=True)
class Hint:
    """A binding that somebody read in the picture themselves."""

    algorithm: str
    value: str


def by_value(algorithm: str, value: str, *, limit: int) -> list[ManifestMatch]:
    """The manifests that carry this very binding. Raises `AlgorithmUnknown`."""
    found = _with_binding(algorithm, value)[:limit]
    return _named((asset, 100) for asset in found)


@submitted_files.in_turn
def by_content(
    data: bytes, *, algorithm: str | None = None, hint: Hint | None = None, limit: int
) -> list[ManifestMatch]:
    """The manifests that a picture's own marks lead to, where the two look alike, the likest first.

    An `algorithm` says which mark alone is asked; a hint is one more that is looked up.

    Raises:
        AlgorithmUnknown: of the algorithm, or of the hint's.
        PictureUnreadable: the file is no picture that can be looked at.
        gate.Busy: too many others are being looked at.
    """
    for named in (algorithm, hint and hint.algorithm):
        if named is not None and named not in _FIELDS:
            raise AlgorithmUnknown
    picture = decoder.read(data)
    scores: dict[Asset, int] = {}
    for asset, distance in _alike(data, picture, algorithm, hint):
        score = round(100 * (1 - distance / fingerprint.BITS))
        scores[asset] = max(score, scores.get(asset, 0))
    ordered = sorted(scores.items(), key=lambda each: -each[1])
    return _named(ordered[:limit])


def _alike(
    data: bytes, picture: decoder.Picture, algorithm: str | None, hint: Hint | None
) -> Iterator[tuple[Asset, int]]:
    """Records that look like the picture, with their distance."""
    if algorithm in (None, SOFT_BINDING_ALGORITHM):
        match = _by_marks(data, picture, is_watermark_alone=algorithm is not None)
        if match is not None and match.is_same_picture and match.distance is not None:
            yield match.asset, match.distance
    found: list[Asset] = []
    if algorithm in (None, iscc.ALGORITHM):
        found += _with_binding(iscc.ALGORITHM, iscc.image_code(picture.pixels))
    if hint is not None:
        found += _with_binding(hint.algorithm, hint.value)
    turned = fingerprint.pdq_orientations(picture.pixels) if found else []
    for asset in found:
        distance = min(fingerprint.distance(each, bytes(asset.fingerprint)) for each in turned)
        if distance <= fingerprint.SAME_PICTURE_DISTANCE:
            yield asset, distance


def _by_marks(
    data: bytes, picture: decoder.Picture, *, is_watermark_alone: bool
) -> asset_lookup.AssetMatch | None:
    detection = watermark.detect(picture.pixels, key=keyring().watermark_key)
    if is_watermark_alone:
        match = asset_lookup.find(picture.pixels, asset_id=None, sha256="", detection=detection)
        return match if match is not None and match.is_looked_up else None
    return asset_lookup.find(
        picture.pixels,
        asset_id=signer().read(data, picture.mime).asset_id,
        sha256=sha256(data).hexdigest(),
        detection=detection,
    )


def _with_binding(algorithm: str, value: str) -> list[Asset]:
    """The earliest first, `MOST_RESULTS` at most. Raises `AlgorithmUnknown`."""
    field = _FIELDS.get(algorithm)
    if field is None:
        raise AlgorithmUnknown
    if not value:
        return []
    return list(Asset.objects.filter(**{field: value}).order_by("created_at")[:MOST_RESULTS])


def _named(found: Iterable[tuple[Asset, int]]) -> list[ManifestMatch]:
    scores = {asset.id: score for asset, score in found}
    names = dict(ManifestName.objects.filter(asset__in=scores).values_list("asset_id", "urn"))
    return [ManifestMatch(names[each], score) for each, score in scores.items() if each in names]


def manifest_of(manifest_id: str, *, is_active_alone: bool = False) -> bytes:
    """The manifest store whose active manifest has that name, or that manifest alone.

    Raises `ManifestIdMalformed`, `NoSuchManifest`, `ContentMissing`, `ContentAltered`.
    """
    if not _URN.fullmatch(manifest_id):
        raise ManifestIdMalformed
    found = Asset.objects.filter(manifest_name__urn=manifest_id).first()
    if found is None:
        raise NoSuchManifest
    store = found.manifest_store()
    return manifest_stores.only_active(store) if is_active_alone else store
