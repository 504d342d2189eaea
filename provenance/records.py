"""Finding the record of a picture by any of its marks, and comparing the two."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from provenance import fingerprint, likeness
from provenance.models import Asset
from provenance.watermark import Detection

MOST_CANDIDATES = 200


@dataclass(frozen=True, slots=True)
class Match:
    """A record that a mark led to. `is_looked_up` is false where only the likeness led there."""

    asset: Asset
    distance: int | None
    is_looked_up: bool

    @property
    def is_same_picture(self) -> bool:
        limit = fingerprint.SAME_PICTURE_DISTANCE
        return self.distance is not None and self.distance <= limit


def find(
    pixels: NDArray[np.uint8], *, asset_id: str | None, sha256: str, detection: Detection
) -> Match | None:
    """The record of a picture: by its manifest's asset, its file's digest, its watermark, or, when
    none of them leads anywhere, by its fingerprint.
    """
    for asset in _looked_up(asset_id, sha256, detection):
        return Match(asset, _distance(pixels, asset, detection), is_looked_up=True)
    return _nearest(pixels)


def _looked_up(asset_id: str | None, sha256: str, detection: Detection) -> Iterator[Asset]:
    if asset_id and (named := _uuid(asset_id)):
        yield from Asset.objects.filter(id=named)
    yield from Asset.objects.filter(sha256=sha256)[:1]
    if detection.identifier is not None:
        yield from Asset.objects.filter(watermark_id=f"{detection.identifier:016x}")


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _distance(pixels: NDArray[np.uint8], asset: Asset, detection: Detection) -> int | None:
    is_its_mark = detection.identifier is not None and (
        f"{detection.identifier:016x}" == asset.watermark_id
    )
    original = likeness.Original(
        asset.width, asset.height, bytes(asset.fingerprint), bytes(asset.thumbnail)
    )
    return likeness.distance(pixels, original, detection.geometry if is_its_mark else None)


def _nearest(pixels: NDArray[np.uint8]) -> Match | None:
    """The record whose fingerprint is nearest, mirrored and turned versions included."""
    turned = fingerprint.pdq_orientations(pixels)
    wanted = [band for each in turned for band in fingerprint.near_bands(each)]
    candidates = Asset.objects.filter(fingerprint_bands__overlap=wanted)[:MOST_CANDIDATES]
    best: Match | None = None
    for asset in candidates:
        value = bytes(asset.fingerprint)
        distance = min(fingerprint.distance(each, value) for each in turned)
        if best is None or best.distance is None or distance < best.distance:
            best = Match(asset, distance, is_looked_up=False)
    return best if best and best.is_same_picture else None
