"""Whether a picture shows what a marked one showed, after undoing what was done to it. Pure.

A watermark says where the marked picture lies in the one at hand, up to whole tiles. Each such
place is compared with the record's thumbnail; the best one is cut out of both, and the fingerprints
of the two cut-outs are compared. So a crop or a screenshot is compared with the same part of the
original.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance import fingerprint, tile
from provenance.lattice import Geometry

THUMBNAIL_SIDE = 256
CANVAS = 128
LEAST_SHARE = 0.06
"""The least share of the original that must be seen for a comparison to mean anything."""
Plane = NDArray[np.float32]
Affine = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Original:
    """What the record keeps of a marked picture: its size, fingerprint and small JPEG."""

    width: int
    height: int
    fingerprint: bytes
    thumbnail: bytes


def thumbnail(pixels: NDArray[np.uint8]) -> bytes:
    """A JPEG of at most 256 pixels a side of uint8 [H, W, 3] RGB pixels."""
    height, width = pixels.shape[:2]
    shrink = min(1.0, THUMBNAIL_SIDE / max(height, width))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    quality = [cv2.IMWRITE_JPEG_QUALITY, 75]
    is_done, buffer = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), quality)
    assert is_done, "OpenCV encodes every uint8 picture"
    return buffer.tobytes()


def original_of(pixels: NDArray[np.uint8]) -> Original:
    """What a record of these marked pixels keeps."""
    height, width = pixels.shape[:2]
    return Original(width, height, fingerprint.pdq(pixels), thumbnail(pixels))


def distance(
    pixels: NDArray[np.uint8], original: Original, geometry: Geometry | None
) -> int | None:
    """Bits by which the fingerprints differ, 0 to 256, over the part of the original that is seen;
    None when too little of it is.
    """
    whole = fingerprint.distance(fingerprint.pdq(pixels), original.fingerprint)
    if geometry is None or not original.thumbnail or whole <= fingerprint.SAME_PICTURE_DISTANCE:
        return whole
    seen = _best_place(pixels, original, geometry)
    return None if seen is None else min(whole, seen)


def _best_place(pixels: NDArray[np.uint8], original: Original, geometry: Geometry) -> int | None:
    """The fingerprint distance at the place that correlates best; None when none shows enough."""
    reference = _reference(original)
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY), np.uint8)
    luma, places = _at_canvas_scale(grey, original, geometry)
    covered = np.full(luma.shape, 255, np.uint8)
    best: tuple[float, Plane, Plane] | None = None
    for place in places:
        mask = _cut_out(covered, place) > 250.0
        if float(mask.mean()) < LEAST_SHARE:
            continue
        ours, theirs = _normalised(_cut_out(luma, place), mask), _normalised(reference, mask)
        likeness = float((ours * theirs).sum() / mask.sum())
        if best is None or likeness > best[0]:
            best = (likeness, ours, theirs)
    if best is None:
        return None
    return fingerprint.distance(_fingerprint(best[1]), _fingerprint(best[2]))


def _reference(original: Original) -> Plane:
    encoded = np.frombuffer(original.thumbnail, np.uint8)
    small = cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE)
    assert small is not None, "the record holds a JPEG that OpenCV wrote"
    return np.asarray(cv2.resize(small, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA), np.float32)


def _places(original: Original, geometry: Geometry, size: tuple[int, int]) -> Iterator[Affine]:
    """Maps from the canvas to the picture at hand, one for every lattice place that overlaps it."""
    native = max(1.0, max(original.width, original.height) / 512)
    wide, high = original.width / native, original.height / native
    canvas_to_tile = np.diag([wide / CANVAS, high / CANVAS])
    turn, shift = _orientation(geometry)
    to_picture = np.array(geometry.matrix, np.float64)[:, :2]
    origin = np.array(geometry.matrix, np.float64)[:, 2]
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size], np.float64)
    inside = (corners - origin) @ np.linalg.inv(to_picture).T
    middle = turn @ [wide / 2, high / 2] + shift
    reach = np.abs(turn @ [wide / 2, high / 2])
    low = np.ceil((inside.min(0) - middle - reach) / tile.SIZE).astype(int)
    top = np.floor((inside.max(0) - middle + reach) / tile.SIZE).astype(int)
    linear = to_picture @ turn @ canvas_to_tile
    for down in range(low[1], top[1] + 1):
        for across in range(low[0], top[0] + 1):
            moved = shift + tile.SIZE * np.array([across, down])
            yield np.column_stack([linear, to_picture @ moved + origin])


def _orientation(geometry: Geometry) -> tuple[Affine, NDArray[np.float64]]:
    """From upright tile coordinates to folded ones: a turn (and mirror), and a shift mod a tile."""
    turn, shift = np.eye(2), np.zeros(2)
    if geometry.is_mirrored:
        turn, shift = np.diag([-1.0, 1.0]), np.array([tile.SIZE - 1.0, 0.0])
    for _ in range(geometry.quarter_turns):
        quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
        turn, shift = quarter @ turn, quarter @ shift + [0.0, tile.SIZE - 1.0]
    return turn, shift + [geometry.offset_x, geometry.offset_y]


def _at_canvas_scale(
    luma: NDArray[np.uint8], original: Original, geometry: Geometry
) -> tuple[NDArray[np.uint8], list[Affine]]:
    """The picture, shrunk where the canvas is coarser than it, and the places in it."""
    height, width = luma.shape
    places = list(_places(original, geometry, (width, height)))
    step = float(np.sqrt(abs(np.linalg.det(places[0][:, :2])))) if places else 1.0
    if step <= 1.5:
        return luma, places
    size = (max(1, round(width / step)), max(1, round(height / step)))
    shrink = np.diag([size[0] / width, size[1] / height])
    small = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8), [shrink @ place for place in places]


def _cut_out(plane: NDArray[np.uint8], place: Affine) -> Plane:
    """The canvas filled from the picture at hand, float32; 0 where it does not reach."""
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(plane, place, (CANVAS, CANVAS), flags=flags), np.float32)


def _normalised(plane: Plane, mask: NDArray[np.bool_]) -> Plane:
    """Zero mean and unit variance inside the mask, zero outside."""
    seen = plane[mask]
    centred = np.where(mask, (plane - seen.mean()) / (seen.std() + 1e-3), 0)
    return np.asarray(centred, np.float32)


def _fingerprint(plane: Plane) -> bytes:
    grey = np.clip(np.rint(128 + 42 * plane), 0, 255).astype(np.uint8)
    return fingerprint.pdq(np.repeat(grey[..., None], 3, axis=2))
