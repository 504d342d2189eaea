"""Adding all tiles of a lattice up to one. Pure.

What a picture shows differs from tile to tile and the mark does not, so that it stands out of the
sum; what something was pasted over adds nothing but noise.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from provenance.marks.watermark_pattern import SIZE, Plane

_WAVES = np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None]
RING = (np.hypot(*_WAVES) * SIZE / 3).astype(int)
SAMPLED_WHOLE = 1.3
"""Samples so many pixels apart miss nothing that a picture shows of the mark."""
COARSE = 8
"""How often each place of a tile was seen is counted on a grid this much coarser."""
MOST_POWER = 8.0
"""Of a frequency, against the geometric mean of those as high. One in ninety frequencies of a mark
has more: their powers are spread as an exponential distribution, whose geometric mean is 0.56.
"""
LEAST_AREA = 0.05
"""Of a tile that is seen, below which it is left out where tiles are weighed."""


@dataclass(frozen=True, slots=True)
class Lattice:
    """Where the tiles lie: pixels per tile pixel across, radians, and the stretch downwards."""

    scale: float
    angle: float = 0.0
    stretch: float = 1.0


def flattening(
    shape: tuple[int, ...], lattice: Lattice
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The map from a plane of whole upright tiles to a picture of this shape, and that plane's
    (width, height). The picture's corner is one of a tile's pixels, as where it was marked.
    """
    height, width = shape
    cosine, sine = np.cos(lattice.angle) * lattice.scale, np.sin(lattice.angle) * lattice.scale
    turned = np.array([[cosine, sine], [-sine * lattice.stretch, cosine * lattice.stretch]])
    reach_x, reach_y = np.abs(np.linalg.inv(turned)) @ [width, height]
    columns, rows = int(-(-reach_x // SIZE)) * SIZE, int(-(-reach_y // SIZE)) * SIZE
    beside = np.rint([columns / 2, rows / 2] - np.linalg.solve(turned, [width / 2, height / 2]))
    return np.column_stack([turned, turned @ (0.5 - beside) - 0.5]), (columns, rows)


def smoothed(signal: Plane, step: float) -> Plane:
    """A signal that can be sampled every `step` pixels."""
    if step <= SAMPLED_WHOLE:
        return signal
    return np.asarray(cv2.GaussianBlur(signal, (0, 0), 0.45 * step), np.float32)


def folded(signal: Plane, lattice: Lattice, pitch: int) -> Plane:
    """The sum of all tiles of the lattice, weighted by how often each place was seen: float32 [96,
    96], or smaller when sampled every `pitch` tile pixels. The signal comes out of `smoothed`.
    """
    matrix, (columns, rows) = flattening(signal.shape, lattice)
    size, flags = (columns // pitch, rows // pitch), cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    flat = cv2.warpAffine(signal, _coarser(matrix, pitch), size, flags=flags)
    total = _summed(np.asarray(flat, np.float32), size[1], size[0], SIZE // pitch)
    seen = _times_seen(signal.shape, matrix, columns, rows, SIZE // pitch)
    return np.asarray(total / np.sqrt(seen), np.float32)


def _coarser(matrix: NDArray[np.float64], times: int) -> NDArray[np.float64]:
    """The map from a plane whose pixels are so many times as large, to the same picture."""
    coarse = matrix.copy()
    coarse[:, 2] += matrix[:, :2].sum(axis=1) * (times - 1) / 2
    coarse[:, :2] *= times
    return coarse


def spectrum(folded: Plane, pitch: int) -> NDArray[np.complex64]:
    """The spectrum of a tile at full size, complex64 [96, 49], from one sampled every `pitch`
    pixels: the mark's band ends below what that many samples can tell apart.
    """
    known = np.asarray(fft.rfft2(folded), np.complex64)
    if pitch == 1:
        return limited(known)
    half = SIZE // pitch // 2
    spectrum = np.zeros((SIZE, SIZE // 2 + 1), np.complex64)
    spectrum[:half, :half] = known[:half, :half]
    spectrum[1 - half :, :half] = known[1 - half :, :half]
    return limited(spectrum * _shift(pitch))


def summed_by_weight(signal: Plane, lattice: Lattice) -> NDArray[np.complex64]:
    """The folded tile's spectrum, complex64 [96, 49], to which each tile adds each band the less,
    the more power for its area it has there: where something was pasted over, or hides the mark,
    the others say more.
    """
    matrix, size = flattening(signal.shape, lattice)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    planes = (cv2.warpAffine(each, matrix, size, flags=flags) for each in (signal, signal * 0 + 1))
    tiles, seen = (
        each.reshape(-1, SIZE, size[0] // SIZE, SIZE).swapaxes(1, 2).reshape(-1, SIZE, SIZE)
        for each in planes
    )
    area = seen.mean((1, 2))
    is_seen = area > LEAST_AREA
    spectra = np.asarray(fft.rfft2(tiles[is_seen]), np.complex64)
    power = (np.abs(spectra) ** 2 / area[is_seen, None, None]).reshape(len(spectra), -1)
    band = RING.ravel()
    counted = np.bincount(band)
    noise = np.stack([np.bincount(band, each) / counted for each in power])
    weight = 1 / (noise + np.median(noise, axis=0) + 1e-9)
    return np.asarray((weight[:, band].reshape(spectra.shape) * spectra).sum(0), np.complex64)


def limited(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """No frequency stronger than a mark would have it. Wallpaper, tiles and weave repeat in a part
    of the mark's own tile, so folding adds them up as it adds up the mark.
    """
    power = np.abs(spectrum) ** 2 + 1e-9
    logarithm = np.bincount(RING.ravel(), np.log(power).ravel()) / np.bincount(RING.ravel())
    most = MOST_POWER * np.exp(logarithm)[RING]
    return np.asarray(spectrum * np.sqrt(np.minimum(1, most / power)), np.complex64)


@cache
def _shift(pitch: int) -> NDArray[np.complex64]:
    """Moves the middle of a large pixel to where it lies among the small ones."""
    return np.exp(-1j * np.pi * (pitch - 1) * sum(_WAVES)).astype(np.complex64)


def _times_seen(
    shape: tuple[int, ...], matrix: NDArray[np.float64], columns: int, rows: int, side: int
) -> Plane:
    """How many tiles showed each place of the tile, counted on a coarse grid."""
    coarse, size = _coarser(matrix, COARSE), (columns // COARSE, rows // COARSE)
    y, x = np.indices((size[1], size[0]), np.float32)
    across = coarse[0, 0] * x + coarse[0, 1] * y + coarse[0, 2]
    down = coarse[1, 0] * x + coarse[1, 1] * y + coarse[1, 2]
    height, width = shape
    inside = (across > -0.5) & (across < width - 0.5) & (down > -0.5) & (down < height - 0.5)
    count = _summed(inside.astype(np.float32), size[1], size[0], SIZE // COARSE)
    return np.asarray(cv2.resize(count, (side, side), interpolation=cv2.INTER_LINEAR) + 1e-2)


def _summed(plane: Plane, rows: int, columns: int, side: int) -> Plane:
    """All tiles of a plane added up; slice by slice, which numpy does much faster than by axes."""
    total = np.zeros((side, columns), np.float32)
    for top in range(0, rows, side):
        total += plane[top : top + side]
    return np.asarray(total.reshape(side, -1, side).sum(axis=1))
