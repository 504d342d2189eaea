"""Finding the lattice of a repeated tile: scale, rotation, mirror and offset. Pure.

The picture's residual (high-passed, limited to the mark's own strength) repeats with the tile, so
its autocorrelation peaks
on a square lattice (Kutter 1998). Each likely lattice is folded to one tile and correlated with the
key's sync pattern.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from provenance import tile
from provenance.tile import SIZE, Patterns, Plane

WORKING_SIDE = 1024
SCALES = np.exp(np.arange(np.log(0.42), np.log(2.1), 0.004))
ANGLES = np.deg2rad(np.arange(-45.0, 45.0, 0.25))
CANDIDATES = 6
PROMISING_SYNC = 5.0
"""Below this a first round of climbing has found noise, and the next rounds are saved."""
_AROUND = [(across, around) for across in (-1, 0, 1) for around in (-1, 0, 1) if across or around]
_RING = (np.hypot(np.fft.fftfreq(SIZE)[:, None], np.fft.rfftfreq(SIZE)[None]) * SIZE / 3).astype(
    int
)
LIMIT = 5.0
"""Residuals beyond this many 8-bit steps are edges, not mark."""


@dataclass(frozen=True, slots=True)
class Geometry:
    """How the picture differs from the one that was marked: pixels per tile pixel, degrees
    anticlockwise, mirrored.

    `matrix` (two rows of three) leads from the plane of folded tiles to the picture's pixels; there
    the marked picture was mirrored, then turned by `quarter_turns` anticlockwise, then moved by the
    offsets and any number of whole tiles.
    """

    scale: float
    rotation_degrees: float
    is_mirrored: bool
    offset_x: int
    offset_y: int
    quarter_turns: int
    matrix: tuple[tuple[float, float, float], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A folded tile, upright and in place; `sync` is its sync peak in standard deviations."""

    tile: Plane
    sync: float
    scale: float
    angle: float
    geometry: Geometry


def alignments(luma: Plane, patterns: Patterns) -> Iterator[Alignment]:
    """Alignments worth decoding, the cheapest guesses first."""
    shrink = min(1.0, WORKING_SIDE / max(luma.shape))
    if shrink < 1:
        size = (round(luma.shape[1] * shrink), round(luma.shape[0] * shrink))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    signal = residual(luma)
    for scale in sorted({max(luma.shape) / 512, 1.0}):  # whole pictures, and plain cut-outs
        yield _align(signal, scale, 0.0, patterns, shrink)
    candidates = [
        _align(signal, scale, angle, patterns, shrink) for scale, angle in _likely(signal)
    ]
    for candidate in sorted(candidates, key=lambda each: -each.sync)[:2]:
        yield _refined(signal, candidate, patterns, shrink)


def upright_tile(luma: NDArray[np.uint8], scale: float, patterns: Patterns) -> Plane:
    """The folded tile of a picture whose scale is known and that was not turned."""
    signal = residual(luma.astype(np.float32))
    return _align(signal, scale, 0.0, patterns, 1.0).tile


def residual(luma: Plane) -> Plane:
    """What is left of a picture without its own content: float32 [H, W], unit variance."""
    smooth = _edge_preserving(luma)
    rest = np.clip(luma - smooth, -LIMIT, LIMIT)
    rest = rest - cv2.GaussianBlur(rest, (0, 0), 9.0)
    return np.asarray(rest / (float(rest.std()) + 1e-6), np.float32)


def _edge_preserving(luma: Plane) -> Plane:
    """A guided filter with the picture as its own guide (He et al. 2010)."""
    window, softness = (17, 17), 60.0
    mean = cv2.blur(luma, window)
    variance = cv2.blur(luma * luma, window) - mean * mean
    gain = variance / (variance + softness)
    shift = mean * (1 - gain)
    return np.asarray(cv2.blur(gain, window) * luma + cv2.blur(shift, window), np.float32)


def _autocorrelation(signal: Plane) -> Plane:
    """The whitened autocorrelation, origin in the middle."""
    height, width = (fft.next_fast_len(2 * side, real=True) for side in signal.shape)
    power = np.abs(fft.rfft2(signal, s=(height, width))) ** 2
    smooth = cv2.blur(power, (15, 15)) + 1e-6
    lags = fft.fftshift(fft.irfft2(power / smooth, s=(height, width)))
    return np.asarray(lags, np.float32)


def _likely(signal: Plane) -> list[tuple[float, float]]:
    """(scale, angle) of the highest lattice scores."""
    lags = np.asarray(cv2.GaussianBlur(_autocorrelation(signal), (0, 0), 0.8), np.float32)
    middle_y, middle_x = lags.shape[0] // 2, lags.shape[1] // 2
    scales, angles = np.meshgrid(SCALES, ANGLES, indexing="ij")
    score = np.zeros(scales.shape, np.float32)
    for across, down in (
        (1, 0),
        (0, 1),
        (1, 1),
        (1, -1),
        (2, 0),
        (0, 2),
        (2, 1),
        (1, 2),
        (-1, 2),
        (2, -1),
    ):
        x = scales * SIZE * (across * np.cos(angles) + down * np.sin(angles))
        y = scales * SIZE * (-across * np.sin(angles) + down * np.cos(angles))
        is_inside = (np.abs(x) < signal.shape[1] * 0.9) & (np.abs(y) < signal.shape[0] * 0.9)
        column = np.clip(np.rint(x).astype(int) + middle_x, 0, lags.shape[1] - 1)
        row = np.clip(np.rint(y).astype(int) + middle_y, 0, lags.shape[0] - 1)
        score += np.where(is_inside, lags[row, column], 0)
    picked = []
    for _ in range(CANDIDATES):
        row, column = np.unravel_index(int(score.argmax()), score.shape)
        picked.append((float(SCALES[row]), float(ANGLES[column])))
        score[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = -np.inf
    return picked


def _align(
    signal: Plane, scale: float, angle: float, patterns: Patterns, shrink: float
) -> Alignment:
    folded = _folded(signal, scale, angle)
    spectrum = _whitened(np.asarray(fft.rfft2(folded), np.complex64))
    surfaces = fft.irfft2(spectrum[None] * patterns.sync_spectra, s=(SIZE, SIZE))
    place = int(surfaces.argmax())
    orientation, row, column = np.unravel_index(place, surfaces.shape)
    sync = float(surfaces.flat[place] / (surfaces.std() + 1e-9))
    aligned = tile.upright(np.roll(folded, (-row, -column), (0, 1)), int(orientation))
    turns = int(orientation) % 4
    matrix, _ = _flattening(signal.shape, scale, angle)
    across, down = (matrix / shrink).tolist()
    geometry = Geometry(
        scale=round(scale / shrink, 4),
        rotation_degrees=(round(float(np.rad2deg(angle)) + 90 * turns, 2) + 180) % 360 - 180,
        is_mirrored=int(orientation) >= 4,
        offset_x=int(column),
        offset_y=int(row),
        quarter_turns=turns,
        matrix=((across[0], across[1], across[2]), (down[0], down[1], down[2])),
    )
    return Alignment(aligned, sync, scale, angle, geometry)


def _whitened(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """A tile's spectrum with the same power at every distance from the middle."""
    power = np.abs(spectrum) ** 2
    mean = np.bincount(_RING.ravel(), power.ravel()) / np.bincount(_RING.ravel())
    return np.asarray(spectrum / np.sqrt(mean[_RING] + 1e-9), np.complex64)


def _flattening(
    shape: tuple[int, ...], scale: float, angle: float
) -> tuple[NDArray[np.float64], tuple[int, int]]:
    """The map from a plane of whole upright tiles to a picture of this shape, and that plane's
    (width, height).
    """
    height, width = shape
    cosine, sine = np.cos(angle) * scale, np.sin(angle) * scale
    reach_x = (abs(cosine) * width + abs(sine) * height) / scale**2
    reach_y = (abs(sine) * width + abs(cosine) * height) / scale**2
    columns, rows = int(-(-reach_x // SIZE)) * SIZE, int(-(-reach_y // SIZE)) * SIZE
    matrix = np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0]])
    matrix[:, 2] = [width / 2 - 0.5, height / 2 - 0.5] - matrix[:, :2] @ [columns / 2, rows / 2]
    return matrix, (columns, rows)


def _folded(signal: Plane, scale: float, angle: float) -> Plane:
    """The sum of all tiles of the lattice, float32 [96, 96], weighted by how often each place was
    seen.
    """
    matrix, (columns, rows) = _flattening(signal.shape, scale, angle)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    if scale > 1.3:
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), 0.45 * scale), np.float32)
    warped = cv2.warpAffine(signal, matrix, (columns, rows), flags=flags)
    flat = np.asarray(warped, np.float32)
    whole = np.ones(signal.shape, np.uint8)
    seen = cv2.warpAffine(whole, matrix, (columns, rows), flags=cv2.WARP_INVERSE_MAP)
    total, count = _summed(flat, rows, columns), _summed(seen.astype(np.float32), rows, columns)
    return np.asarray(total / np.sqrt(count + 1e-3), np.float32)


def _summed(plane: Plane, rows: int, columns: int) -> Plane:
    """All tiles of a plane added up; slice by slice, which numpy does much faster than by axes."""
    total = np.zeros((SIZE, columns), np.float32)
    for top in range(0, rows, SIZE):
        total += plane[top : top + SIZE]
    one = np.zeros((SIZE, SIZE), np.float32)
    for left in range(0, columns, SIZE):
        one += total[:, left : left + SIZE]
    return one


def _refined(signal: Plane, start: Alignment, patterns: Patterns, shrink: float) -> Alignment:
    """Climb the sync peak in scale and angle."""
    best, scale, angle = start, start.scale, start.angle
    for scale_step, angle_step in ((0.004, 0.0044), (0.002, 0.0022), (0.001, 0.0011)):
        for scale_shift, angle_shift in _AROUND:
            near = (scale * (1 + scale_shift * scale_step), angle + angle_shift * angle_step)
            candidate = _align(signal, *near, patterns, shrink)
            if candidate.sync > best.sync:
                best = candidate
        scale, angle = best.scale, best.angle
        if best.sync < PROMISING_SYNC:
            break
    return best
