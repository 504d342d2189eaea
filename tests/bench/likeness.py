"""What two pictures have in common, told without any learned model: colour layout and outlines.

Colour layout: CIE Lab on a 16×16 grid of the blurred picture. Outlines: histograms of oriented
gradients (Dalal and Triggs, 2005), 16 px cells, blocks of 2×2. Each part is divided by its spread
over the reference pictures, so that both weigh the same; nearness is Euclidean.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage.feature import hog

Pixels = NDArray[np.uint8]
Features = NDArray[np.float32]


def _colour_layout(picture: Pixels) -> Features:
    blurred = cv2.GaussianBlur(picture.astype(np.float32) / 255, (0, 0), 3)
    lab = cv2.cvtColor(blurred, cv2.COLOR_RGB2Lab)
    return cv2.resize(lab, (16, 16), interpolation=cv2.INTER_AREA).astype(np.float32).ravel()


def _outlines(picture: Pixels) -> Features:
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    return np.asarray(hog(grey, 9, (16, 16), (2, 2), block_norm="L2-Hys"), np.float32)


class Neighbours:
    """Reference pictures uint8 [N, 128, 128, 3], searched by likeness."""

    def __init__(self, references: Pixels) -> None:
        parts = [
            np.stack([describe(np.array(picture)) for picture in references])
            for describe in (_colour_layout, _outlines)
        ]
        self._spreads = [float(np.sqrt(part.var(axis=0).sum())) for part in parts]
        self._references = self._join(parts)

    def _join(self, parts: list[Features]) -> Features:
        return np.concatenate([p / s for p, s in zip(parts, self._spreads, strict=True)], axis=1)

    def distances(self, picture: Pixels) -> Features:
        """Squared distance of `picture` to each reference."""
        described = self._join([_colour_layout(picture)[None], _outlines(picture)[None]])
        squares: Features = np.square(self._references - described).sum(axis=1)
        return squares

    def rank_of(self, picture: Pixels, index: int) -> int:
        """How many references are nearer to `picture` than the one at `index`."""
        distances = self.distances(picture)
        return int((distances < distances[index]).sum())
