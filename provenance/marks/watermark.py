"""The invisible watermark: a keyed 64-bit identifier in the brightness of a picture. Pure.

A pattern (see `watermark_pattern`) is repeated over the picture, weaker on flat areas and stronger
where detail hides it, and as a whole no stronger than a trial of it asks for. The detector finds
its grid (see `grid_search`), adds all repeats up, aligns the sum by its sync pattern and decodes
it. A watermark is a lookup key, never proof: who can copy it onto another picture can forge it.
"""

from dataclasses import dataclass, field
from functools import lru_cache
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from provenance.marks import grid_search, watermark_pattern
from provenance.marks.geometry import Geometry

LEAST_PSNR_DB, FAINT_PSNR_DB = 42.0, 44.5
"""The strongest mark that is ever embedded, and the fainter one that is tried first."""
TRIAL_SCALE, TRIAL_QUALITY, TRIAL_AGREEMENT = 0.5, 50, 0.70
"""The trial: a JPEG of this quality at this scale, and how well the mark must be read from it."""
FLAT_AMPLITUDE, DETAIL_AMPLITUDE = 1.0, 3.2
"""Standard deviation of the mark in 8-bit steps on flat areas, and where detail hides it best."""
DETAIL_LEVELS = 24.0
REFERENCE_SIDE = 512
FOUND_SYNC, SURE_SYNC, FOUND_AGREEMENT = 6.2, 6.4, 0.45
"""Sync peaks from which a tile is read, and from which tiles are weighed for another look. Of 4,500
candidates in 1,500 pictures without a mark 18 and 10 are as high, and 3 and 7 of 2,105 that are
read are not.
"""
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
CHANNELS = tuple(float(share) for share in LUMA / np.sum(LUMA**2))
"""How much each channel changes for one step of brightness: most brightness for its PSNR."""
PEAK_LEVELS = 19.0
FAINT_TILES = 0.5
"""Strength of every other tile: what a coarse codec rounds away everywhere survives in the rest."""


@dataclass(frozen=True, slots=True)
class Detection:
    """What a detector says: `confidence` 0 to 1; `identifier` and `geometry` only where something
    was found. `tile` is what each tile with that identifier looks like, float32 [96, 96].
    """

    verdict: Literal["found", "not_found"]
    confidence: float
    identifier: int | None = None
    geometry: Geometry | None = None
    tile: NDArray[np.float32] | None = field(default=None, repr=False, compare=False)


def embed(pixels: NDArray[np.uint8], identifier: int, *, key: bytes) -> NDArray[np.uint8]:
    """Mark uint8 [H, W, 3] RGB pixels with an identifier of 64 bits; the same shape comes back."""
    luma = _luma(pixels)
    change = _field(luma.shape, identifier, key) * _amplitude(luma) * _checkered(pixels.shape[:2])
    faint = _limited(pixels, change, FAINT_PSNR_DB)
    if _survives(faint, identifier, key):
        return faint
    return _limited(pixels, change, LEAST_PSNR_DB)


def _survives(marked: NDArray[np.uint8], identifier: int, key: bytes) -> bool:
    """Whether a mark is read well from a JPEG of half the size."""
    height, width = marked.shape[:2]
    found = watermark_pattern.patterns_for(identifier, key)
    shrink = TRIAL_SCALE / native_scale(height, width)
    size = (max(8, round(width * shrink)), max(8, round(height * shrink)))
    small = cv2.resize(marked, size, interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)
    _, encoded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, TRIAL_QUALITY])
    decoded = np.asarray(cv2.imdecode(encoded, cv2.IMREAD_GRAYSCALE), np.uint8)
    reading = watermark_pattern.read_plainly(
        grid_search.upright_tile(decoded, TRIAL_SCALE, found), found
    )
    return reading.identifier == identifier and reading.agreement >= TRIAL_AGREEMENT


def _field(shape: tuple[int, ...], identifier: int, key: bytes) -> NDArray[np.float32]:
    """The repeated tile, float32 [H, W] of unit variance."""
    height, width = shape
    scale = native_scale(height, width)
    one = watermark_pattern.write(identifier, key)
    rows, columns = (
        -(-height // watermark_pattern.SIZE) + 1,
        -(-width // watermark_pattern.SIZE) + 1,
    )
    if scale > 1:
        rows, columns = int(rows / scale) + 2, int(columns / scale) + 2
    field = np.tile(one, (rows, columns))
    if scale > 1:
        grid = np.array([[1 / scale, 0, 0.5 / scale - 0.5], [0, 1 / scale, 0.5 / scale - 0.5]])
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(field, grid, (width, height), flags=flags), np.float32)
    return field[:height, :width]


def native_scale(height: int, width: int) -> float:
    """Picture pixels for each tile pixel in a picture of this size as it was marked."""
    return max(1.0, max(height, width) / REFERENCE_SIDE)


@lru_cache(maxsize=4)
def _checkered(shape: tuple[int, int]) -> NDArray[np.float32]:
    """Full strength and `FAINT_TILES` by turns, with soft borders; float32 [H, W]."""
    height, width = shape
    side = watermark_pattern.SIZE * native_scale(height, width)
    rows = np.arange(height, dtype=np.float32)[:, None] / side
    columns = np.arange(width, dtype=np.float32)[None] / side
    wave = np.sin(np.pi * rows) * np.sin(np.pi * columns)
    return np.asarray(
        (1 + FAINT_TILES) / 2 + (1 - FAINT_TILES) / 2 * np.clip(4 * wave, -1, 1), np.float32
    )


def _amplitude(luma: NDArray[np.float32]) -> NDArray[np.float32]:
    """How strong the mark may be at each pixel; the flat side of an edge stays flat."""
    mean = cv2.blur(luma, (7, 7))
    variance = cv2.blur(luma * luma, (7, 7)) - mean * mean
    activity = np.sqrt(np.maximum(variance, 0.0))
    inner = cv2.erode(activity, np.ones((9, 9), np.uint8))
    detail = cv2.blur(np.minimum(inner / DETAIL_LEVELS, 1.0), (9, 9))
    strength = FLAT_AMPLITUDE + (DETAIL_AMPLITUDE - FLAT_AMPLITUDE) * detail
    return np.asarray(strength, np.float32)


def _limited(
    pixels: NDArray[np.uint8], change: NDArray[np.float32], psnr_db: float
) -> NDArray[np.uint8]:
    """Add a change of brightness, spread over the channels and scaled to just keep the PSNR."""
    room = 255.0**2 / 10 ** (psnr_db / 10)
    for _ in range(3):
        bounded = np.clip(change, -PEAK_LEVELS, PEAK_LEVELS)
        spread = cv2.merge([bounded * share for share in CHANNELS])
        marked = cv2.add(pixels, spread, dtype=cv2.CV_8U)  # rounds and stays within 0 to 255
        mean_square = cv2.norm(marked, pixels, cv2.NORM_L2SQR) / pixels.size
        if 0.97 * room <= mean_square <= room:
            break
        change = change * np.float32(0.99 * np.sqrt(room / mean_square))
    return np.asarray(marked, np.uint8)


def _luma(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(pixels.astype(np.float32), cv2.COLOR_RGB2GRAY), np.float32)


def detect(pixels: NDArray[np.uint8], *, key: bytes) -> Detection:
    """Look for a mark of this key in uint8 [H, W, 3] RGB pixels. Traces without an identifier that
    checks say nothing: whoever has many marked pictures can lay them over anything.
    """
    luma = _luma(pixels)
    for alignment in grid_search.alignments(luma, grid_search.syncs(watermark_pattern.sets(key))):
        if alignment.sync >= FOUND_SYNC:
            reading = watermark_pattern.read(alignment.tile, alignment.patterns)
            if not reading.scheme and alignment.sync >= SURE_SYNC:
                reading = watermark_pattern.read(alignment.weighed(), alignment.patterns)
            if reading.scheme and reading.agreement >= FOUND_AGREEMENT:
                return _found(alignment, reading, reading.scheme, key)
    return Detection("not_found", 0.0)


def _found(
    alignment: grid_search.Alignment,
    reading: watermark_pattern.PatternReading,
    scheme: watermark_pattern.Scheme,
    key: bytes,
) -> Detection:
    identifier = reading.identifier
    tile = watermark_pattern.write(identifier, key, scheme)
    placing = watermark_pattern.placing(identifier, key, scheme)
    geometry = alignment.geometry.of_picture(placing)
    return Detection("found", _confidence(alignment, reading), identifier, geometry, tile)


def _confidence(
    alignment: grid_search.Alignment, reading: watermark_pattern.PatternReading
) -> float:
    sync = min(1.0, (alignment.sync - FOUND_SYNC) / 6.0)
    agreement = min(1.0, (reading.agreement - FOUND_AGREEMENT) / 0.4)
    return round(0.5 + 0.5 * max(sync, agreement), 3)
