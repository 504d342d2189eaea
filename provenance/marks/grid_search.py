"""Finding the lattice of a repeated tile: scale, rotation, mirror and offset. Pure.

The picture's residual (high-passed, limited to the mark's own strength) repeats with the tile, so
its autocorrelation peaks on a square lattice (Kutter 1998), or on a rectangular one where somebody
stretched the picture. Each likely lattice is folded to one tile and correlated with the key's sync
patterns.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy import fft

from provenance.marks import folding, watermark_pattern
from provenance.marks.folding import Lattice
from provenance.marks.geometry import Geometry
from provenance.marks.watermark_pattern import SIZE, Patterns, Plane

WORKING_SIDE = 1024
SCALES = np.exp(np.arange(np.log(0.33), np.log(2.1), 0.004))
"""From a third: a screenshot may show a picture of 512 pixels at 190."""
ANGLES = np.deg2rad(np.arange(-45.0, 45.0, 0.25))
STRETCHES = np.exp(np.arange(-0.7, 0.7, 0.004))
STRETCHES = STRETCHES[np.abs(np.log(STRETCHES)) > 0.015]
"""Height against width. Nearer to 1 the square lattice's own search comes close enough."""
SQUARE_CANDIDATES, STRETCHED_CANDIDATES = 6, 3
WORTH_CLIMBING_SYNC, PROMISING_SYNC = 5.0, 5.2
"""Below these a candidate, or its first round of climbing, has found noise, and the next rounds are
saved. Where a mark was found in the end, 152 candidates began at 5.06 and more, and 104 others,
negatives among them, at 5.48; of the 180 of 45 pictures without one 106 began below 4.9.
"""
_AROUND = [(across, around) for across in (-1, 0, 1) for around in (-1, 0, 1) if across or around]
_LAGS = ((1, 0), (0, 1), (1, 1), (1, -1), (2, 0), (0, 2), (2, 1), (1, 2), (-1, 2), (2, -1))
"""Places of a lattice, in tiles, whose correlations are added up for its score."""
REACH = int(float(SCALES[-1]) * SIZE * np.sqrt(5)) + 2
"""The longest lag that is looked at, in pixels."""
ROUGH = 2
"""Tile pixels for each sample while lattices are only compared: a quarter of the work."""
LIMIT = 5.0
"""Residuals beyond this many 8-bit steps are edges, not mark."""


@dataclass(frozen=True, slots=True)
class Syncs:
    """Sync patterns to look for: conjugate spectra, complex64 [n, 96, 49], and what each is: a set
    of patterns and the number of its orientation.
    """

    spectra: NDArray[np.complex64]
    meanings: tuple[tuple[Patterns, int], ...]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A folded tile, upright and in place; `sync` is its sync peak in standard deviations.
    `weighed` folds it again, each tile and band of frequencies by how little else is in it.
    """

    tile: Plane
    sync: float
    patterns: Patterns
    geometry: Geometry
    weighed: Callable[[], Plane]


def syncs(sets: Sequence[Patterns]) -> Syncs:
    """Every orientation of every set's sync pattern."""
    spectra = np.concatenate([each.sync_spectra for each in sets])
    return Syncs(spectra, tuple((each, turned) for each in sets for turned in range(8)))


def alignments(luma: Plane, wanted: Syncs) -> Iterator[Alignment]:
    """Alignments worth decoding, the cheapest guesses first."""
    shrink = min(1.0, WORKING_SIDE / max(luma.shape))
    if shrink < 1:
        size = (round(luma.shape[1] * shrink), round(luma.shape[0] * shrink))
        luma = np.asarray(cv2.resize(luma, size, interpolation=cv2.INTER_AREA), np.float32)
    signal = residual(luma)
    for scale in sorted({max(luma.shape) / 512, 1.0}):  # whole pictures, and plain cut-outs
        fit = _fit(folding.smoothed(signal, scale), Lattice(scale), wanted)
        yield _aligned(fit, signal, shrink)
    fits = [
        _fit(folding.smoothed(signal, lattice.scale * ROUGH), lattice, wanted, pitch=ROUGH)
        for lattice in _likely(signal)
    ]
    for fit in sorted(fits, key=lambda each: -each.sync)[:4]:
        if fit.sync >= WORTH_CLIMBING_SYNC:
            yield _aligned(_refined(signal, fit), signal, shrink)


def upright_tile(luma: NDArray[np.uint8], scale: float, patterns: Patterns) -> Plane:
    """The folded tile of a picture whose scale is known and that was not turned."""
    signal = residual(luma.astype(np.float32))
    fit = _fit(folding.smoothed(signal, scale), Lattice(scale), syncs([patterns]))
    return _aligned(fit, signal, 1.0).tile


def residual(luma: Plane) -> Plane:
    """What is left of a picture without its own content: float32 [H, W], unit variance."""
    smooth = edge_preserving(luma)
    rest = np.clip(luma - smooth, -LIMIT, LIMIT)
    rest = rest - cv2.GaussianBlur(rest, (0, 0), 9.0)
    return np.asarray(rest / (float(rest.std()) + 1e-6), np.float32)


def edge_preserving(luma: Plane) -> Plane:
    """A guided filter with the picture as its own guide (He et al. 2010)."""
    window, softness = (17, 17), 60.0
    mean = cv2.blur(luma, window)
    variance = cv2.blur(luma * luma, window) - mean * mean
    gain = variance / (variance + softness)
    shift = mean * (1 - gain)
    return np.asarray(cv2.blur(gain, window) * luma + cv2.blur(shift, window), np.float32)


def _autocorrelation(signal: Plane) -> Plane:
    """The whitened autocorrelation for lags up to `REACH`, origin in the middle; 0 where too little
    of the picture overlaps.
    """
    shape = [fft.next_fast_len(min(2 * side, side + REACH), real=True) for side in signal.shape]
    power = np.abs(fft.rfft2(signal, s=shape)) ** 2
    smooth = cv2.blur(power, (15, 15)) + 1e-6
    whole = fft.irfft2(power / smooth, s=shape)
    lags = np.zeros((2 * REACH + 1, 2 * REACH + 1), np.float32)
    down, across = (
        np.arange(-reach, reach + 1) for reach in (min(REACH, int(0.9 * n)) for n in signal.shape)
    )
    seen = whole[np.ix_(down % shape[0], across % shape[1])]
    lags[REACH + down[0] : REACH + down[-1] + 1, REACH + across[0] : REACH + across[-1] + 1] = seen
    return lags


@cache
def _square_places() -> list[NDArray[np.int32]]:
    """For each of the lags, its place in a flat autocorrelation for every scale and angle."""
    scales, angles = np.meshgrid(SCALES * SIZE, ANGLES, indexing="ij")
    cosine, sine = scales * np.cos(angles), scales * np.sin(angles)
    return [
        _place(across * cosine + down * sine, -across * sine + down * cosine)
        for across, down in _LAGS
    ]


@cache
def _stretched_places() -> list[NDArray[np.int32]]:
    """The same for every scale and stretch of a lattice that is not turned."""
    scales, stretches = np.meshgrid(SCALES * SIZE, STRETCHES, indexing="ij")
    heights = np.minimum(scales * stretches, SCALES[-1] * SIZE)
    return [_place(across * scales, down * heights) for across, down in _LAGS]


def _place(across: NDArray[np.float64], down: NDArray[np.float64]) -> NDArray[np.int32]:
    column = np.rint(across).astype(np.int32) + REACH
    row = np.rint(down).astype(np.int32) + REACH
    return np.asarray(row * (2 * REACH + 1) + column, np.int32)


def _likely(signal: Plane) -> Iterator[Lattice]:
    """The lattices with the highest scores, square ones first."""
    lags = np.asarray(cv2.GaussianBlur(_autocorrelation(signal), (0, 0), 0.8), np.float32).ravel()
    for row, column in _peaks(lags, _square_places(), SQUARE_CANDIDATES):
        yield Lattice(float(SCALES[row]), angle=float(ANGLES[column]))
    for row, column in _peaks(lags, _stretched_places(), STRETCHED_CANDIDATES):
        yield Lattice(float(SCALES[row]), stretch=float(STRETCHES[column]))


def _peaks(lags: Plane, places: list[NDArray[np.int32]], count: int) -> Iterator[tuple[int, int]]:
    """(row, column) of the highest sums over the lags, each in another neighbourhood."""
    score, taken = np.zeros(places[0].shape, np.float32), np.empty(places[0].shape, np.float32)
    for one in places:
        score += lags.take(one, out=taken, mode="clip")  # all lie inside; checking takes longer
    for _ in range(count):
        row, column = (int(each) for each in np.unravel_index(int(score.argmax()), score.shape))
        yield row, column
        score[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = -np.inf


@dataclass(frozen=True, slots=True)
class _Fit:
    """How well a lattice fits. `spectrum` is the folded tile's, complex64 [96, 49]; one of the sync
    patterns, `meaning`, peaks highest in it or in its negative: `sync` standard deviations, at this
    row and column.
    """

    lattice: Lattice
    spectrum: NDArray[np.complex64]
    sync: float
    meaning: tuple[Patterns, int]
    row: int
    column: int
    is_negative: bool


def _fit(signal: Plane, lattice: Lattice, wanted: Syncs, *, pitch: int = 1) -> _Fit:
    spectrum = folding.spectrum(folding.folded(signal, lattice, pitch), pitch)
    surfaces = fft.irfft2(_whitened(spectrum)[None] * wanted.spectra, s=(SIZE, SIZE))
    place = int(np.abs(surfaces).argmax())
    number, row, column = (int(each) for each in np.unravel_index(place, surfaces.shape))
    sync = float(surfaces.flat[place] / (surfaces.std() + 1e-9))
    meaning, upright = wanted.meanings[number], spectrum if sync > 0 else -spectrum
    return _Fit(lattice, upright, abs(sync), meaning, row, column, is_negative=sync < 0)


def _aligned(fit: _Fit, signal: Plane, shrink: float) -> Alignment:
    """The tile of a fit, put upright, and where it lies in the signal."""
    patterns, orientation = fit.meaning
    turns, lattice = orientation % 4, fit.lattice
    matrix, _ = folding.flattening(signal.shape, lattice)
    across, down = (matrix / shrink).tolist()
    geometry = Geometry(
        scale=round(lattice.scale / shrink, 4),
        rotation_degrees=(round(float(np.rad2deg(lattice.angle)) + 90 * turns, 2) + 180) % 360
        - 180,
        stretch=round(lattice.stretch, 4),
        is_mirrored=orientation >= 4,
        is_negative=fit.is_negative,
        offset_x=fit.column,
        offset_y=fit.row,
        quarter_turns=turns,
        matrix=((across[0], across[1], across[2]), (down[0], down[1], down[2])),
    )

    def weighed() -> Plane:
        spectrum = folding.limited(
            folding.summed_by_weight(folding.smoothed(signal, lattice.scale), lattice)
        )
        return _upright(-spectrum if fit.is_negative else spectrum, fit)

    return Alignment(_upright(fit.spectrum, fit), fit.sync, patterns, geometry, weighed)


def _upright(spectrum: NDArray[np.complex64], fit: _Fit) -> Plane:
    folded = np.asarray(fft.irfft2(spectrum, s=(SIZE, SIZE)), np.float32)
    moved = np.roll(folded, (-fit.row, -fit.column), (0, 1))
    return watermark_pattern.upright(moved, fit.meaning[1])


def _whitened(spectrum: NDArray[np.complex64]) -> NDArray[np.complex64]:
    """A tile's spectrum with the same power at every distance from the middle."""
    power = np.abs(spectrum) ** 2
    mean = np.bincount(folding.RING.ravel(), power.ravel()) / np.bincount(folding.RING.ravel())
    return np.asarray(spectrum / np.sqrt(mean[folding.RING] + 1e-9), np.complex64)


def _refined(signal: Plane, start: _Fit) -> _Fit:
    """Climb the sync peak in scale and angle, or in scale and stretch; the first round roughly."""
    patterns, orientation = start.meaning
    wanted = Syncs(patterns.sync_spectra[orientation : orientation + 1], (start.meaning,))
    rough = folding.smoothed(signal, start.lattice.scale * ROUGH)
    best = _climbed(rough, start, wanted, (0.004, 0.0044), pitch=ROUGH)
    if best.sync < PROMISING_SYNC:
        return best
    pitch = 1 if start.lattice.scale * ROUGH > folding.SAMPLED_WHOLE else ROUGH
    fine = folding.smoothed(signal, start.lattice.scale * pitch)
    best = _fit(fine, best.lattice, wanted, pitch=pitch)
    for steps in ((0.002, 0.0022), (0.001, 0.0011)):
        best = _climbed(fine, best, wanted, steps, pitch=pitch)
    return best


def _climbed(
    signal: Plane, best: _Fit, wanted: Syncs, steps: tuple[float, float], *, pitch: int = 1
) -> _Fit:
    """The best of a fit and its eight neighbours, so far apart in scale and in angle or stretch."""
    middle = best.lattice
    for scale_shift, other_shift in _AROUND:
        near = replace(middle, scale=middle.scale * (1 + scale_shift * steps[0]))
        if middle.stretch == 1:
            near = replace(near, angle=middle.angle + other_shift * steps[1])
        else:
            near = replace(near, stretch=middle.stretch * (1 + other_shift * steps[1]))
        found = _fit(signal, near, wanted, pitch=pitch)
        if found.sync > best.sync:
            best = found
    return best
