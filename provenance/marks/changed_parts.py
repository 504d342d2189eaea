"""Parts of a picture that are not the original's, as a few boxes. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks.placement import CANVAS, Affine

Mask = NDArray[np.bool_]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom; the last two are the first pixels that do not belong to it."""
LEAST_AREA = 0.003
"""Smaller parts, as shares of the mask, are what codecs leave."""
FULL = 0.75
"""A box is good enough when so much of it is changed (a disc: 0.79); else it is cut in two."""
CUTS = 4
"""How often a box is cut at most; no part comes out as more than 2 ** CUTS boxes."""
STEP = 4
THIN = np.ones((7, 7), np.uint8)
BLEEDING = 3
"""How far the comparison of neighbourhoods sees a change before it begins, in canvas pixels."""
MOST_PARTS = 12
BESIDE = 192
"""Side of the plane on which it is looked what lies beside an original."""
MISPLACED = 3
"""How exactly a place is found, in pixels of that plane: what lies further out is beside it."""
EDGE, LEAST_EDGES = 24, 0.02
"""Something is to be seen beside an original where brightness differs by so many 8-bit steps from
pixel to pixel, in so much of it.
"""
LEAST_PLAIN = 0.05
"""Thinner margins, as shares of the picture, or slanted ones, are not told where they show nothing:
a frame, or the corners of a picture that was turned.
"""


@dataclass(frozen=True, slots=True)
class ChangedPart:
    """A part of the picture at hand as shares of its width and height, 0 to 1."""

    left: float
    top: float
    width: float
    height: float


def changed(mask: Mask, place: Affine, size: tuple[int, int]) -> tuple[ChangedPart, ...]:
    """The changed parts as boxes in the picture at hand, the largest first."""
    told = []
    for left, top, right, bottom in boxes(mask, bleeding=BLEEDING)[:MOST_PARTS]:
        low, high = _in_picture((left, top, right, bottom), place, size)
        told.append(_part(*low, *high))
    return tuple(told)


def beside(place: Affine, grey: NDArray[np.uint8]) -> tuple[ChangedPart, ...]:
    """What of a picture, uint8 [H, W], lies beside the original, the largest first."""
    inside = _inside(place, grey)
    shown = np.asarray(cv2.resize(grey, inside.shape, interpolation=cv2.INTER_AREA), np.uint8)
    edges = cv2.morphologyEx(shown, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > EDGE
    reach = np.ones((2 * MISPLACED + 1, 2 * MISPLACED + 1), np.uint8)
    far = cv2.erode((~inside).astype(np.uint8), reach) > 0
    told = []
    for part, is_wide in _outside(inside):
        seen = edges[part & far]
        if is_wide or (len(seen) and float(seen.mean()) >= LEAST_EDGES):
            told += _boxes(part, bleeding=0)
    largest = sorted(told, key=lambda box: -_area(box))[:MOST_PARTS]
    return tuple(_part(*(each / BESIDE for each in box)) for box in largest)


def _inside(place: Affine, grey: NDArray[np.uint8]) -> Mask:
    """Which of a picture the original covers, bool [BESIDE, BESIDE]."""
    axis, back = (np.arange(BESIDE) + 0.5) / BESIDE, cv2.invertAffineTransform(place)
    x, y = axis[None] * grey.shape[1] - 0.5, axis[:, None] * grey.shape[0] - 0.5
    across, down = (row[0] * x + row[1] * y + row[2] + 0.5 for row in back)
    return np.asarray((across > 0) & (across < CANVAS) & (down > 0) & (down < CANVAS))


def _outside(inside: Mask) -> Iterator[tuple[Mask, bool]]:
    """The margins left, right, above and below, and the corners that a turned original leaves
    between them, and whether each is told whatever it shows.
    """
    left, top, right, bottom = _around(inside) or (0, 0, BESIDE, BESIDE)
    least = LEAST_PLAIN * BESIDE
    for rows, columns, wide in (
        (slice(None), slice(left), left),
        (slice(None), slice(right, None), BESIDE - right),
        (slice(top), slice(left, right), top),
        (slice(bottom, None), slice(left, right), BESIDE - bottom),
    ):
        margin = np.zeros_like(inside)
        margin[rows, columns] = True
        yield margin, wide >= least
    corners = np.zeros_like(inside)
    corners[top:bottom, left:right] = ~inside[top:bottom, left:right]
    count, labels = cv2.connectedComponents(corners.astype(np.uint8))
    yield from ((labels == number, False) for number in range(1, count))


def _in_picture(
    box: tuple[int, int, int, int], place: Affine, size: tuple[int, int]
) -> tuple[list[float], list[float]]:
    """The first and last corner of a box of the canvas, as shares of the picture."""
    corners = np.array([[x, y, 1] for x in box[::2] for y in box[1::2]], np.float64)
    corners[:, :2] -= 0.5
    shares = np.clip((corners @ place.T + 0.5) / size, 0, 1)
    return shares.min(axis=0).tolist(), shares.max(axis=0).tolist()


def _part(left: float, top: float, right: float, bottom: float) -> ChangedPart:
    return ChangedPart(*(round(each, 4) for each in (left, top, right - left, bottom - top)))


def boxes(mask: Mask, *, bleeding: int) -> list[Box]:
    """The boxes of a mask's connected parts, the largest first.

    Whoever made the mask looked at neighbourhoods: it reaches up to `bleeding` pixels too far. What
    is thin in it is no change, but an edge that lies a little beside itself.
    """
    return _boxes(_thick(mask), bleeding=bleeding)


def _boxes(mask: Mask, *, bleeding: int) -> list[Box]:
    count, labels, found, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    parts = [
        box
        for number in range(1, count)
        if found[number, cv2.CC_STAT_AREA] >= LEAST_AREA * mask.size
        for box in _cut(_tightened(labels == number, bleeding), CUTS)
    ]
    return sorted(parts, key=lambda box: -_area(box))


def _thick(mask: Mask) -> Mask:
    framed = np.pad(mask.astype(np.uint8), 8)  # at its end a mask goes on as for nothing
    return np.asarray(cv2.morphologyEx(framed, cv2.MORPH_OPEN, THIN)[8:-8, 8:-8] > 0)


def _tightened(part: Mask, bleeding: int) -> Mask:
    """Without its border, if anything is left then; at the mask's own end there is none."""
    for reach in range(bleeding, 0, -1):
        window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
        less = cv2.erode(part.astype(np.uint8), window) > 0
        if less.any():
            return np.asarray(less)
    return part


def _cut(part: Mask, times: int) -> Iterator[Box]:
    whole = _around(part)
    if whole is None:
        return
    left, top, right, bottom = whole
    if times == 0 or float(part[top:bottom, left:right].mean()) >= FULL:
        yield whole
        return
    halves = min(_halves(part, whole), key=lambda two: sum(_area(_around(half)) for half in two))
    for half in halves:
        yield from _cut(half, times - 1)


def _halves(part: Mask, box: Box) -> Iterator[tuple[Mask, Mask]]:
    """The part, cut in two along each of some columns and rows."""
    left, top, right, bottom = box
    columns, rows = np.arange(part.shape[1])[None], np.arange(part.shape[0])[:, None]
    yield part, np.zeros_like(part)
    for at in range(left + STEP, right, STEP):
        yield part & (columns < at), part & (columns >= at)
    for at in range(top + STEP, bottom, STEP):
        yield part & (rows < at), part & (rows >= at)


def _around(part: Mask) -> Box | None:
    columns, rows = np.flatnonzero(part.any(axis=0)), np.flatnonzero(part.any(axis=1))
    if not len(columns):
        return None
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _area(box: Box | None) -> int:
    return 0 if box is None else (box[2] - box[0]) * (box[3] - box[1])
