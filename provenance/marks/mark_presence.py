"""Where a picture carries a known watermark, and how strongly. Pure.

Whoever edits a part of a marked picture takes the mark away there. Whoever copies a mark onto
another picture lays it also where the two differ. So the strength of the mark where the picture
shows something else than its record tells the one from the other, however much they share.

The mark's tile is known once its identifier was read, so each place is a matched filter with the
picture's own noise as the weight (Kay 1998, section 4.5).
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import grid_search, placement, watermark, watermark_pattern
from provenance.marks.placement import CANVAS, SHIFT, Affine

LIMIT = 8.0
"""What differs more from its surroundings, in 8-bit steps, is an edge and not the mark."""
WIDE, NARROW = 9.0, 3.0
"""Standard deviations, in pixels, of what is taken out of picture and mark alike."""
NOISE_WINDOW, LEAST_NOISE = (15, 15), 0.3
BLOCK = 8
"""Side of the squares, in canvas pixels, over which an estimate's error is counted."""
AWAY, LEAST_BESIDE = 4, 0.1
"""From how many canvas pixels on something lies beside a marked picture, and how much of a canvas
must, so that a place that is not quite exact says nothing.
"""
Plane = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Strength:
    """The mark's amplitude in 8-bit steps, and the standard deviation of that figure."""

    steps: float
    error: float


@dataclass(frozen=True, slots=True, eq=False)
class MarkPresence:
    """Sums over the places of a canvas, float32 [128, 128]: of picture times mark, and of the mark
    by itself, both over the picture's noise there.
    """

    along: Plane
    power: Plane

    def strength(self, where: NDArray[np.bool_]) -> Strength:
        """The mark's strength over all these places."""
        power = float(self.power[where].sum())
        if power <= 0:
            return Strength(0.0, np.inf)
        steps = float(self.along[where].sum()) / power
        rest = np.where(where, self.along - steps * self.power, 0)
        blocks = rest.reshape(CANVAS // BLOCK, BLOCK, CANVAS // BLOCK, BLOCK).sum((1, 3))
        return Strength(steps, float(np.sqrt(np.sum(blocks**2))) / power)


def of(
    luma: NDArray[np.uint8], place: Affine, tile: Plane, marked: tuple[int, int]
) -> MarkPresence:
    """Of the mark with this tile in a uint8 [H, W] picture, where a marked picture of (width,
    height) lies at `place` in it.
    """
    native = watermark.native_scale(*marked)
    width, height = (max(BLOCK, round(side / native)) for side in marked)
    upright = _rid(_laid_upright(luma, place, (width, height)))
    rows, columns = (-(-side // watermark_pattern.SIZE) for side in (height, width))
    expected = _rid(np.tile(tile, (rows, columns))[:height, :width])
    noise = cv2.blur(upright * upright, NOISE_WINDOW) + LEAST_NOISE
    weight = width * height / CANVAS**2 / noise
    along, power = (
        cv2.resize(plane * expected * weight, (CANVAS, CANVAS), interpolation=cv2.INTER_AREA)
        for plane in (upright, expected)
    )
    return MarkPresence(np.asarray(along, np.float32), np.asarray(power, np.float32))


def beside(
    luma: NDArray[np.uint8],
    place: Affine,
    lattice: list[Affine],
    tile: Plane,
    marked: tuple[int, int],
) -> Strength | None:
    """The mark's strength beside a marked picture that lies at `place`, over as much of that as one
    other place of its lattice shows; None where none shows enough.
    """
    width, height = luma.shape[1], luma.shape[0]
    back = cv2.invertAffineTransform(place)
    corners = np.array([[x, y, 1] for x in (0, width - 1) for y in (0, height - 1)])
    if np.abs(corners @ back.T - CANVAS / 2).max() < CANVAS / 2 + AWAY:
        return None
    axis = np.arange(CANVAS) - CANVAS / 2
    best, shown, most = place, np.zeros(0, bool), LEAST_BESIDE
    for other in lattice:
        moved = back[:, :2] @ other[:, 2] + back[:, 2]
        columns, rows = (np.abs(axis + each) > CANVAS / 2 + AWAY for each in moved)
        outside = placement.seen((width, height), other) & (columns[None] | rows[:, None])
        if outside.mean() > most:
            best, shown, most = other, outside, float(outside.mean())
    return of(luma, best, tile, marked).strength(shown) if shown.size else None


def _laid_upright(luma: NDArray[np.uint8], place: Affine, size: tuple[int, int]) -> Plane:
    """The marked picture as it was when it was marked: float32 [H, W] of that size."""
    to_canvas = np.diag([CANVAS / size[0], CANVAS / size[1], 1.0])
    to_canvas = np.linalg.inv(SHIFT) @ to_canvas @ SHIFT
    to_picture = (np.vstack([place, [0, 0, 1]]) @ to_canvas)[:2]
    luma, (near,) = placement.at_scale(luma, [to_picture])
    flags, beyond = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, cv2.BORDER_REPLICATE
    return np.asarray(
        cv2.warpAffine(luma.astype(np.float32), near, size, flags=flags, borderMode=beyond)
    )


def _rid(plane: Plane) -> Plane:
    """Without what is no mark: the picture's own edges and slopes."""
    rest = np.clip(plane - grid_search.edge_preserving(plane), -LIMIT, LIMIT)
    for deviation in (WIDE, NARROW):
        rest = rest - cv2.GaussianBlur(rest, (0, 0), deviation)
    return np.asarray(rest, np.float32)
