"""Pictures to mark: photographs that come with scikit-image, and drawings of flat colour made here.

Every picture is uint8 [side, side, 3] RGB and the same on every machine.
"""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

Pixels = NDArray[np.uint8]

PHOTOGRAPHS = (
    "astronaut",
    "coffee",
    "chelsea",
    "rocket",
    "camera",
    "coins",
    "hubble_deep_field",
    "immunohistochemistry",
    "retina",
    "moon",
)


@cache
def photograph(name: str, side: int = 512) -> Pixels:
    """The middle square of one of scikit-image's own photographs."""
    pixels = getattr(data, name)()
    if pixels.ndim == 2:
        pixels = np.stack([pixels] * 3, -1)
    height, width = pixels.shape[:2]
    short = min(height, width)
    top, left = (height - short) // 2, (width - short) // 2
    square = np.ascontiguousarray(pixels[top : top + short, left : left + short, :3])
    method = cv2.INTER_AREA if short > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(square, (side, side), interpolation=method), np.uint8)


@cache
def drawing(seed: int, side: int = 512) -> Pixels:
    """A flat, anti-aliased drawing on a plain ground: what an icon or an emoji looks like."""
    random = np.random.default_rng(seed)
    big = 2 * side
    ground = (255, 255, 255) if seed % 2 else tuple(int(c) for c in random.integers(90, 250, 3))
    canvas = np.full((big, big, 3), ground, np.uint8)
    for _ in range(int(random.integers(5, 14))):
        colour = tuple(int(c) for c in random.integers(0, 256, 3))
        middle = tuple(int(c) for c in random.integers(big // 6, big * 5 // 6, 2))
        axes = tuple(int(c) for c in random.integers(big // 24, big // 4, 2))
        match int(random.integers(3)):
            case 0:
                cv2.ellipse(canvas, middle, axes, int(random.integers(180)), 0, 360, colour, -1)
            case 1:
                corners = (random.normal(0, big / 7, (5, 2)) + middle).astype(np.int32)
                cv2.fillPoly(canvas, [cv2.convexHull(corners)], colour)
            case _:
                cv2.ellipse(canvas, middle, axes, 0, 20, 320, colour, big // 40)
    return np.asarray(cv2.resize(canvas, (side, side), interpolation=cv2.INTER_AREA), np.uint8)


def tiled_wall(period: int, side: int = 512) -> Pixels:
    """One tile of so many pixels again and again, two discs before it."""
    tile = np.full((4 * period, 4 * period, 3), (196, 190, 178), np.uint8)
    cv2.rectangle(tile, (4, 4), (4 * period - 8, 4 * period - 8), (90, 120, 140), -1)
    times = side // period + 1
    wall = np.tile(tile, (times, times, 1))[: 4 * side, : 4 * side]
    made = cv2.resize(wall, (side, side), interpolation=cv2.INTER_AREA)
    for left, top, radius in ((150, 170, 60), (330, 300, 40)):
        cv2.circle(made, (left, top), radius, (190, 60, 50), -1, cv2.LINE_AA)
    return np.asarray(made, np.uint8)


def clear_sky(things: tuple[tuple[int, int, int], ...] = ()) -> Pixels:
    """512 pixels of a sky that darkens upwards, with a grain and discs (left, top, radius)."""
    grain = np.random.default_rng(4).normal(0, 1.5, (512, 512, 1))
    pixels = np.linspace(70, 130, 512)[:, None, None] + np.array([0, 10, 40]) + grain
    made = np.clip(np.rint(pixels), 0, 255).astype(np.uint8)
    for left, top, radius in things:
        cv2.circle(made, (left, top), radius, (30, 25, 20), -1, cv2.LINE_AA)
    return np.ascontiguousarray(made)
