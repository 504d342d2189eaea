"""Where a marked picture may lie in the one at hand, as maps from a canvas to its pixels. Pure.

A map is float64 [2, 3]: it leads from the canvas, which the whole marked picture fills, to the
pixels of the picture at hand. With a watermark its lattice says where, up to whole tiles. Without
one the whole frame is tried in its eight orientations, and what features in both pictures say.
"""

from collections.abc import Iterator

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import watermark_pattern
from provenance.marks.geometry import Geometry
from provenance.marks.local_agreement import WINDOW

CANVAS = 128
SHIFT = np.array([[1.0, 0.0, 0.5], [0.0, 1.0, 0.5], [0.0, 0.0, 1.0]])
"""From the middles of pixels to their corners."""
FEATURES, LEAST_FEATURES = 400, 10
FEATURE_SIDE = 384
LEAST_BENT, BENT_PIXELS, MOST_BENT = 15, 4.0, 0.075
"""So many features at least, each so near to where the others' plane has it in the shrunk picture;
and how far a corner may lie from where the lattice has it, as a share of the picture.
"""
MOST_MOVED = 3.0
"""How far a corner may move when a place is refined, in canvas pixels: the lattice knows better."""
Plane = NDArray[np.float32]
Affine = NDArray[np.float64]
Size = tuple[int, int]


def by_lattice(marked: Size, geometry: Geometry, size: Size) -> list[Affine]:
    """One for every place of the lattice where a marked picture of (width, height) overlaps one of
    `size`, the largest overlap first.
    """
    native = max(1.0, max(marked) / 512)
    wide, high = marked[0] / native, marked[1] / native
    turn, shift = _orientation(geometry)
    to_picture = np.array(geometry.matrix, np.float64)[:, :2]
    origin = np.array(geometry.matrix, np.float64)[:, 2]
    corners = np.array([[0, 0], [size[0], 0], [0, size[1]], size], np.float64)
    inside = (corners - origin) @ np.linalg.inv(to_picture).T
    middle = turn @ [wide / 2, high / 2] + shift
    reach = np.abs(turn @ [wide / 2, high / 2])
    low, top = inside.min(0), inside.max(0)
    first = np.ceil((low - middle - reach) / watermark_pattern.SIZE).astype(int)
    last = np.floor((top - middle + reach) / watermark_pattern.SIZE).astype(int)
    steps = np.array([wide / CANVAS, high / CANVAS])
    linear = to_picture @ turn
    found = []
    for down in range(first[1], last[1] + 1):
        for across in range(first[0], last[0] + 1):
            moved = shift + watermark_pattern.SIZE * np.array([across, down])
            both = np.minimum(middle - shift + moved + reach, top) - np.maximum(
                middle - shift + moved - reach, low
            )
            place = to_picture @ moved + origin + linear @ (steps / 2 - 0.5)
            found.append((float(np.prod(np.maximum(both, 0))), linear @ np.diag(steps), place))
    found.sort(key=lambda each: -each[0])
    return [np.column_stack([matrix, place]) for _, matrix, place in found]


def _orientation(geometry: Geometry) -> tuple[Affine, NDArray[np.float64]]:
    """From upright tile coordinates to folded ones: a turn (and mirror), and a shift mod a tile."""
    turn, shift = np.eye(2), np.zeros(2)
    if geometry.is_mirrored:
        turn, shift = np.diag([-1.0, 1.0]), np.array([watermark_pattern.SIZE - 1.0, 0.0])
    for _ in range(geometry.quarter_turns):
        quarter = np.array([[0.0, 1.0], [-1.0, 0.0]])
        turn, shift = quarter @ turn, quarter @ shift + [0.0, watermark_pattern.SIZE - 1.0]
    return turn, shift + [geometry.offset_x, geometry.offset_y]


def whole_frames(size: Size) -> list[Affine]:
    """The eight for a picture that was turned or mirrored at most, the upright one first."""
    to_picture = np.diag([size[0] / CANVAS, size[1] / CANVAS, 1.0])
    mirror = np.array([[-1.0, 0.0, CANVAS], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    quarter = np.array([[0.0, 1.0, 0.0], [-1.0, 0.0, CANVAS], [0.0, 0.0, 1.0]])
    frames = []
    for side in (np.eye(3), mirror):
        for turns in range(4):
            turned = np.linalg.matrix_power(quarter, turns) @ side
            frames.append((np.linalg.inv(SHIFT) @ to_picture @ turned @ SHIFT)[:2])
    return frames


def by_features(thumbnail: NDArray[np.uint8], grey: NDArray[np.uint8]) -> Iterator[Affine]:
    """What features that both show say: for a cut-out or a part of a screen."""
    height, width = thumbnail.shape
    to_thumbnail = np.diag([width / CANVAS, height / CANVAS, 1.0])
    mirror = np.array([[-1.0, 0.0, width], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    shrunk = _shrunk(grey)
    to_picture = np.diag([*(np.array(grey.shape[::-1]) / shrunk.shape[::-1]), 1.0])
    for is_mirrored, ours, theirs in _features(thumbnail, shrunk):
        matrix, inside = cv2.estimateAffinePartial2D(ours, theirs)
        if matrix is not None and int(inside.sum()) >= LEAST_FEATURES:
            flip = mirror if is_mirrored else np.eye(3)
            found = to_picture @ np.vstack([matrix, [0, 0, 1]]) @ flip @ to_thumbnail
            yield (np.linalg.inv(SHIFT) @ found @ SHIFT)[:2]


def is_bent(thumbnail: NDArray[np.uint8], grey: NDArray[np.uint8], place: Affine) -> bool:
    """Whether most features that both show lie as on a sheet that is seen from the side, nearly at
    this place: a picture that was photographed, over which a lattice of squares cannot be laid.
    """
    shrunk, sides = _shrunk(grey), np.array(thumbnail.shape[::-1], np.float64)
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float64)
    laid = (corners * CANVAS - 0.5) @ place[:, :2].T + place[:, 2]
    laid *= shrunk.shape[1] / grey.shape[1]
    for is_mirrored, ours, theirs in _features(thumbnail, shrunk):
        matrix, inside = cv2.findHomography(ours, theirs, cv2.RANSAC, BENT_PIXELS)
        if matrix is None or int(inside.sum()) < max(LEAST_BENT, len(ours) / 2):
            continue
        own = np.abs(corners - [float(is_mirrored), 0]) * sides
        seen = cv2.perspectiveTransform(own[None], matrix)[0]
        if float(np.abs(seen - laid).max()) <= MOST_BENT * max(shrunk.shape):
            return True
    return False


Points = NDArray[np.float32]


def _shrunk(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    scale = min(1.0, FEATURE_SIDE / max(grey.shape))
    size = (max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale)))
    return np.asarray(cv2.resize(grey, size), np.uint8)


def _features(
    thumbnail: NDArray[np.uint8], grey: NDArray[np.uint8]
) -> Iterator[tuple[bool, Points, Points]]:
    """Places [n, 2] of features (SIFT, Lowe 2004) in the thumbnail, as it is and mirrored, and in
    the shrunk picture; only where there are enough.
    """
    detector = cv2.SIFT.create(FEATURES)
    there, theirs = detector.detectAndCompute(grey, None)
    for is_mirrored, side in ((False, thumbnail), (True, thumbnail[:, ::-1])):
        here, ours = detector.detectAndCompute(np.ascontiguousarray(side), None)
        if ours is None or theirs is None or len(theirs) < 2:
            continue
        pairs = cv2.BFMatcher().knnMatch(ours, theirs, k=2)
        good = [
            two[0] for two in pairs if len(two) == 2 and two[0].distance < 0.8 * two[1].distance
        ]
        if len(good) >= LEAST_FEATURES:
            yield (
                is_mirrored,
                np.array([here[each.queryIdx].pt for each in good], np.float32) + 0.5,
                np.array([there[each.trainIdx].pt for each in good], np.float32) + 0.5,
            )


def at_scale(
    picture: NDArray[np.uint8], places: list[Affine]
) -> tuple[NDArray[np.uint8], list[Affine]]:
    """The picture, grey or of several channels, shrunk where the canvas is coarser than it, and the
    places in it.
    """
    step = float(np.sqrt(abs(np.linalg.det(places[0][:, :2]))))
    if step <= 1.5:
        return picture, places
    height, width = picture.shape[:2]
    size = (max(1, round(width / step)), max(1, round(height / step)))
    shrink = np.diag([size[0] / width, size[1] / height, 1.0])
    shrink = np.linalg.inv(SHIFT) @ shrink @ SHIFT
    small = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return small, [(shrink @ np.vstack([place, [0, 0, 1]]))[:2] for place in places]


def cut_out(plane: NDArray[np.uint8], place: Affine, side: int = CANVAS) -> Plane:
    """The canvas, float32 [side, side] or with channels, filled from the picture; beyond it, as at
    its border.
    """
    step = CANVAS / side
    coarse = np.column_stack(
        [place[:, :2] * step, place[:, 2] + place[:, :2].sum(axis=1) * (step - 1) / 2]
    )
    flags, beyond = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    filled = cv2.warpAffine(plane, coarse, (side, side), flags=flags, borderMode=beyond)
    return np.asarray(filled, np.float32)


def seen(size: Size, place: Affine, side: int = CANVAS) -> NDArray[np.bool_]:
    """Which of the canvas a picture of (width, height) reaches, bool [side, side]; not what is so
    near to its end that a neighbourhood would reach beyond.
    """
    axis = (np.arange(side) + 0.5) * CANVAS / side - 0.5
    across, down = (row[0] * axis[None] + row[1] * axis[:, None] + row[2] for row in place)
    inside = (across > -1) & (across < size[0]) & (down > -1) & (down < size[1])
    if inside.all():
        return np.asarray(inside)
    shrunk = cv2.erode(inside.astype(np.uint8), np.ones((WINDOW, WINDOW), np.uint8))
    return np.asarray(shrunk > 0)


def refined(
    plane: NDArray[np.uint8], place: Affine, reference: Plane, where: NDArray[np.bool_]
) -> Affine:
    """A place moved a little, so that the picture there correlates best with the reference (ECC,
    Evangelidis and Psarakis 2008); unmoved where that leads away.
    """
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 20, 1e-3)
    try:
        _, moved = cv2.findTransformECC(
            reference, cut_out(plane, place), np.eye(2, 3, dtype=np.float32),
            cv2.MOTION_AFFINE, stop, where.astype(np.uint8), 3,
        )  # fmt: skip
    except cv2.error:  # nothing there to correlate
        return place
    corners = np.array([[0, 0, 1], [CANVAS, 0, 1], [0, CANVAS, 1], [CANVAS, CANVAS, 1]]).T
    if float(np.abs((moved - np.eye(2, 3)) @ corners).max()) > MOST_MOVED:
        return place
    return np.asarray(place @ np.vstack([moved, [0, 0, 1]]), np.float64)
