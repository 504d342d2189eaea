"""Finding the record of a picture by its marks, and comparing the two.

Every mark is asked for itself, whatever the others say: the record that the manifest names, the one
of this very file, the one that the watermark leads to, and those that look alike. Each is compared
with the picture, and the one that shows the same wins. So another picture's manifest, or another's
watermark, hides nothing.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from config.core.content_files import ContentAltered, ContentMissing
from provenance.marks import fingerprint, perceptual_match
from provenance.marks.changed_parts import ChangedPart
from provenance.marks.perceptual_match import Comparison
from provenance.marks.watermark import Detection
from provenance.models import Asset

MOST_CANDIDATES = 200
Mark = Literal["file", "manifest", "watermark", "fingerprint"]
STRENGTH: tuple[Mark, ...] = ("fingerprint", "manifest", "watermark", "file")
"""Which mark's record is believed where several show the same picture, the last one most."""


@dataclass(frozen=True, slots=True)
class AssetMatch:
    """A record, the marks that led to it, and how the picture compares with it: None where too
    little of it is seen.
    """

    asset: Asset
    led_by: frozenset[Mark]
    comparison: Comparison | None

    @property
    def is_same_picture(self) -> bool:
        return self.comparison is not None and self.comparison.is_same

    @property
    def is_doubtful(self) -> bool:
        """Whether it agrees with the record, but is watermarked also where it does not."""
        return self.comparison is not None and self.comparison.is_doubtful

    @property
    def is_looked_up(self) -> bool:
        """False where only the likeness led there."""
        return self.led_by != {"fingerprint"}

    @property
    def distance(self) -> int | None:
        return None if self.comparison is None else self.comparison.distance

    @property
    def kept(self) -> float | None:
        """The share of the record's detail that is there unchanged."""
        return None if self.comparison is None else self.comparison.kept

    @property
    def changed(self) -> tuple[ChangedPart, ...]:
        """The parts of the picture that differ from the record's, where it is the same picture."""
        return () if self.comparison is None else self.comparison.changed

    @property
    def beside(self) -> tuple[ChangedPart, ...]:
        """The parts of the picture that lie beside the record's, where it is the same picture."""
        return () if self.comparison is None else self.comparison.beside


@dataclass(frozen=True, slots=True)
class FoundAssets:
    """Every record that a mark leads to, the one that is believed first."""

    matches: tuple[AssetMatch, ...] = ()

    @property
    def best(self) -> AssetMatch | None:
        return self.matches[0] if self.matches else None

    def by(self, mark: Mark) -> AssetMatch | None:
        """What this mark led to."""
        return next((match for match in self.matches if mark in match.led_by), None)


def find(
    pixels: NDArray[np.uint8], *, asset_id: str | None, sha256: str, detection: Detection
) -> AssetMatch | None:
    """The record of a picture, if any of its marks leads to one."""
    return search(pixels, asset_id=asset_id, sha256=sha256, detection=detection).best


def search(
    pixels: NDArray[np.uint8], *, asset_id: str | None, sha256: str, detection: Detection
) -> FoundAssets:
    """Every record that the manifest's asset, the file's digest, the watermark or the fingerprint
    leads to, compared with the picture.
    """
    found: dict[uuid.UUID, Asset] = {}
    led_by: dict[uuid.UUID, set[Mark]] = {}
    for mark, asset in _looked_up(asset_id, sha256, detection):
        found[asset.id] = asset
        led_by.setdefault(asset.id, set()).add(mark)
    matches = [_match(pixels, asset, led_by[asset.id], detection) for asset in found.values()]
    nearest = _nearest(pixels)
    if nearest is not None and nearest.id in found:
        led_by[nearest.id].add("fingerprint")
        matches = [
            AssetMatch(each.asset, frozenset(led_by[each.asset.id]), each.comparison)
            for each in matches
        ]
    elif nearest is not None:
        alike = _match(pixels, nearest, {"fingerprint"}, detection)
        matches += [alike] if alike.is_same_picture else []
    return FoundAssets(tuple(sorted(matches, key=_weight, reverse=True)))


def _weight(match: AssetMatch) -> tuple[bool, bool, int, float]:
    """This very file before all; then what shows the same picture, by the strongest mark to it."""
    strongest = max(STRENGTH.index(mark) for mark in match.led_by)
    return "file" in match.led_by, match.is_same_picture, strongest, match.kept or 0.0


def _looked_up(
    asset_id: str | None, sha256: str, detection: Detection
) -> Iterator[tuple[Mark, Asset]]:
    if asset_id and (named := _uuid(asset_id)):
        for asset in Asset.objects.filter(id=named):
            yield "manifest", asset
    for asset in Asset.objects.filter(sha256=sha256)[:1]:
        yield "file", asset
    if detection.identifier is not None:
        for asset in Asset.objects.filter(watermark_id=f"{detection.identifier:016x}"):
            yield "watermark", asset


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _match(
    pixels: NDArray[np.uint8], asset: Asset, led_by: set[Mark], detection: Detection
) -> AssetMatch:
    try:
        small = asset.small_picture()
    except (ContentMissing, ContentAltered):
        small = b""  # then the fingerprints alone are compared
    original = perceptual_match.Original(asset.width, asset.height, bytes(asset.fingerprint), small)
    own = detection if "watermark" in led_by else None
    return AssetMatch(asset, frozenset(led_by), perceptual_match.compare(pixels, original, own))


def _nearest(pixels: NDArray[np.uint8]) -> Asset | None:
    """The record whose fingerprint is nearest, mirrored and turned versions included."""
    turned = fingerprint.pdq_orientations(pixels)
    wanted = [band for each in turned for band in fingerprint.near_bands(each)]
    candidates = Asset.objects.filter(fingerprint_bands__overlap=wanted)[:MOST_CANDIDATES]

    def distance(asset: Asset) -> int:
        value = bytes(asset.fingerprint)
        return min(fingerprint.distance(each, value) for each in turned)

    best = min(candidates, key=distance, default=None)
    if best is None or distance(best) > fingerprint.SAME_PICTURE_DISTANCE:
        return None
    return best
