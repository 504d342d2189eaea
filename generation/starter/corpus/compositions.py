"""Pictures made of pictures: pasted side by side, one above the other, several times, recoloured.

Every function takes and gives uint8 [128, 128, 4] with straight alpha, or pastes such on white.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
SIZE = 128
# Hue in OpenCV's 0 to 180 that a colour word names, and how much of saturation and value it keeps.
HUES = {"red": 0, "orange": 14, "yellow": 27, "green": 60, "blue": 108, "purple": 137, "pink": 165}


@dataclass(frozen=True, slots=True)
class Place:
    """Centre and side in shares of the picture."""

    x: float
    y: float
    side: float


def extent(picture: Picture) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of what is not transparent; the whole where all is."""
    rows, columns = np.nonzero(picture[..., 3] > 16)
    if not len(rows):
        return 0, 0, SIZE, SIZE
    return int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1


def on_white(picture: Picture) -> Picture:
    """RGBA to RGB on white."""
    alpha = picture[..., 3:].astype(np.float32) / 255
    return np.asarray(picture[..., :3] * alpha + 255 * (1 - alpha) + 0.5, np.uint8)


def paste(ground: Picture, picture: Picture, place: Place) -> None:
    """Lay the visible part of `picture` on the RGB `ground`, its longer side `place.side` long."""
    left, top, right, bottom = extent(picture)
    cut = picture[top:bottom, left:right]
    scale = place.side * SIZE / max(cut.shape[:2])
    width, height = (max(1, round(scale * cut.shape[axis])) for axis in (1, 0))
    alpha = cut[..., 3:].astype(np.float32) / 255
    weighted = np.concatenate([cut[..., :3] * alpha, alpha], axis=2)
    small = cv2.resize(weighted, (width, height), interpolation=cv2.INTER_AREA)
    x = min(max(0, round(place.x * SIZE - width / 2)), SIZE - width)
    y = min(max(0, round(place.y * SIZE - height / 2)), SIZE - height)
    under = ground[y : y + height, x : x + width].astype(np.float32)
    under = small[..., :3] + under * (1 - small[..., 3:])
    ground[y : y + height, x : x + width] = np.clip(under + 0.5, 0, 255).astype(np.uint8)


def compose(parts: list[tuple[Picture, Place]]) -> Picture:
    """RGB [128, 128, 3]: the parts on white, later ones over earlier ones."""
    ground = np.full((SIZE, SIZE, 3), 255, np.uint8)
    for picture, place in parts:
        paste(ground, picture, place)
    return ground


def _shaken(place: Place, rng: random.Random) -> Place:
    return Place(
        place.x + rng.uniform(-0.02, 0.02),
        place.y + rng.uniform(-0.02, 0.02),
        place.side * rng.uniform(0.93, 1.05),
    )


def two(first: Picture, second: Picture, relation: str, rng: random.Random) -> Picture:
    """Both things; `relation` says where the second is, as in `phrasing.JOINTS`."""
    if relation == "worn":
        left, top, right, _ = extent(first)
        low = Place(0.5, 0.6, 0.78)
        high = Place(0.5 + ((left + right) / 2 / SIZE - 0.5) * 0.5, 0.17, 0.36)
        return compose([(first, _shaken(low, rng)), (second, _shaken(high, rng))])
    if relation == "beside":
        places = (Place(0.25, 0.5, 0.49), Place(0.75, 0.5, 0.49))
    else:
        places = (Place(0.5, 0.26, 0.5), Place(0.5, 0.75, 0.5))
        if relation == "over":
            places = places[::-1]
    parts = [(p, _shaken(at, rng)) for p, at in zip((first, second), places, strict=True)]
    return compose(parts)


def several(picture: Picture, count: int, rng: random.Random) -> Picture:
    """The thing two, three or four times."""
    rows = {
        2: (Place(0.25, 0.5, 0.44), Place(0.75, 0.5, 0.44)),
        3: (Place(0.5, 0.26, 0.43), Place(0.25, 0.74, 0.43), Place(0.75, 0.74, 0.43)),
        4: tuple(Place(x, y, 0.43) for y in (0.25, 0.75) for x in (0.25, 0.75)),
    }
    return compose([(picture, _shaken(place, rng)) for place in rows[count]])


def main_hue(picture: Picture) -> float | None:
    """The hue, in OpenCV's 0 to 180, that most of the coloured area has; None for grey things."""
    hsv = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2HSV)
    coloured = (picture[..., 3] > 128) & (hsv[..., 1] > 70) & (hsv[..., 2] > 60)
    if coloured.sum() < 0.25 * (picture[..., 3] > 128).sum():
        return None
    hues = hsv[..., 0][coloured].astype(np.float32)
    counts = np.bincount(hsv[..., 0][coloured] // 6, minlength=30)
    smooth = counts + np.roll(counts, 1) + np.roll(counts, -1)
    apart = (hues - (smooth.argmax() * 6 + 3) + 90) % 180 - 90
    return float((smooth.argmax() * 6 + 3 + apart[np.abs(apart) < 12].mean()) % 180)


def recolour(picture: Picture, colour: str) -> Picture:
    """The main hue turned to `colour`, hues near it with it; black takes the light away."""
    hue = main_hue(picture)
    hsv = cv2.cvtColor(picture[..., :3], cv2.COLOR_RGB2HSV).astype(np.float32)
    if hue is None:
        near = np.ones(hsv.shape[:2], np.float32)
        hsv[..., 1] = np.maximum(hsv[..., 1], 130)
    else:
        distance = np.abs((hsv[..., 0] - hue + 90) % 180 - 90)
        near = np.clip((30 - distance) / 12, 0, 1) * (hsv[..., 1] > 40)
    if colour == "black":
        hsv[..., 1] *= 1 - 0.85 * near
        hsv[..., 2] *= 1 - 0.75 * near
    else:
        shift = (HUES[colour] - (hue or 0) + 90) % 180 - 90
        hsv[..., 0] = np.where(near > 0.5, (hsv[..., 0] + shift) % 180, hsv[..., 0])
        if colour in ("yellow", "pink"):
            hsv[..., 2] = hsv[..., 2] + near * (255 - hsv[..., 2]) * 0.45
        if colour == "pink":
            hsv[..., 1] *= 1 - 0.35 * near
    rgb = cv2.cvtColor(np.clip(hsv, 0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return np.dstack([rgb, picture[..., 3]])


def moved(picture: Picture, rng: random.Random) -> Picture:
    """RGB: the thing alone, a little smaller, shifted or turned by a few degrees."""
    turn = cv2.getRotationMatrix2D((SIZE / 2, SIZE / 2), rng.uniform(-6, 6), rng.uniform(0.82, 1.0))
    turn[:, 2] += np.array([rng.uniform(-4, 4), rng.uniform(-4, 4)])
    return on_white(
        np.asarray(cv2.warpAffine(picture, turn, (SIZE, SIZE), flags=cv2.INTER_AREA), np.uint8)
    )
