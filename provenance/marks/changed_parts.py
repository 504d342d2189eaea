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
LEAST_BESIDE = 0.05
"""Thinner margins, as shares of the picture, are how exactly a place is found."""


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


def beside(place: Affine, size: tuple[int, int]) -> tuple[ChangedPart, ...]:
    """What of a picture of (width, height) lies left, right, above and below the original."""
    (left, top), (right, bottom) = _in_picture((0, 0, CANVAS, CANVAS), place, size)
    every = (
        (0.0, 0.0, left, 1.0), (right, 0.0, 1.0, 1.0),
        (left, 0.0, right, top), (left, bottom, right, 1.0),
    )  # fmt: skip
    return tuple(
        _part(*each) for each in every if min(each[2] - each[0], each[3] - each[1]) >= LEAST_BESIDE
    )


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
    mask = _thick(mask)
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
