"""The watermark's tile: which pattern carries which code bit, and how a folded tile is read. Pure.

A tile is 96 by 96 pixels at the scale at which a picture's long side is 512. Its spectrum between
0.018 and 0.20 cycles a
pixel has about 1,100 dimensions; an orthonormal set of random, keyed vectors in that space carries
one synchronisation
pattern and the code bits (spread spectrum, Cox et al. 1997).
"""

import hashlib
import hmac
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from provenance.marks import convolutional_code

SIZE = 96
LOW, HIGH = 0.018, 0.20
IDENTIFIER_BITS, CHECK_BITS = 64, 16
CODE_BITS = convolutional_code.coded_length(IDENTIFIER_BITS + CHECK_BITS)
BANDS = 7
TILT_FROM = 0.05
"""Above this many cycles a pixel the mark gets weaker: what is small goes first on the way."""
SYNC_AMPLITUDE = 0.55
"""Amplitude of the synchronisation pattern relative to that of all code bits together."""

SETS = 4
"""How many sets of patterns a key has. The identifier says which of them carries it, so pictures
that are averaged to lay the mark bare do not all agree."""

ORIENTATIONS = 8
Plane = NDArray[np.float32]
Scheme = Literal["placed", "fixed"]
"""Whether a tile was turned and moved before it was laid, as its identifier says, or lies the same
in every picture, as it did at first. The check bits tell which.
"""
SCHEMES: tuple[Scheme, ...] = ("placed", "fixed")


@dataclass(frozen=True, slots=True)
class Patterns:
    """One set of a key's patterns; `basis` is float32 [dimensions, 1 + CODE_BITS], sync first."""

    number: int
    rows: NDArray[np.intp]
    columns: NDArray[np.intp]
    basis: Plane
    sync_spectra: NDArray[np.complex64]
    """Conjugate spectra of the sync pattern in its eight orientations, [8, 96, 49]."""
    key: bytes


@dataclass(frozen=True, slots=True)
class PatternReading:
    """What a folded tile holds: the identifier, the scheme that its check bits are of, None where
    they are of none, and how much of the code's energy agrees with it, 0 to 1.
    """

    identifier: int
    scheme: Scheme | None
    agreement: float


@dataclass(frozen=True, slots=True)
class Placing:
    """How a tile was turned, as `orientations` numbers it, and then moved, in tile pixels."""

    orientation: int = 0
    row: int = 0
    column: int = 0


def sets(key: bytes) -> tuple[Patterns, ...]:
    """Every set of a key's patterns."""
    return tuple(patterns(key, number) for number in range(SETS))


def patterns_for(identifier: int, key: bytes) -> Patterns:
    """The set that carries this identifier."""
    return patterns(key, _set_number(identifier, key))


def _set_number(identifier: int, key: bytes) -> int:
    return _keyed(b"set", identifier, key)[0] % SETS


def placing(identifier: int, key: bytes, scheme: Scheme) -> Placing:
    """Where the tile with this identifier lies: elsewhere in nearly every picture, so that the
    average of many lays nothing bare. The detector looks everywhere as it is.
    """
    if scheme == "fixed":
        return Placing()
    said = _keyed(b"place", identifier, key)
    row, column = (int.from_bytes(said[at : at + 4]) % SIZE for at in (4, 8))
    return Placing(said[0] % ORIENTATIONS, row, column)


def _keyed(about: bytes, identifier: int, key: bytes) -> bytes:
    return hmac.digest(key, about + identifier.to_bytes(IDENTIFIER_BITS // 8), hashlib.sha256)


@lru_cache(maxsize=4 * SETS)
def patterns(key: bytes, number: int) -> Patterns:
    """One set of a key (any bytes); the same on every machine."""
    rows, columns = _band()
    dimensions = 2 * len(rows)
    noise = np.frombuffer(
        hashlib.shake_256(b"proofsheet tile %d" % number + key).digest(
            4 * dimensions * (1 + CODE_BITS)
        ),
        np.dtype("<i4"),
    ).reshape(dimensions, 1 + CODE_BITS)
    shaped = noise / 2.0**31
    orthonormal, triangle = np.linalg.qr(shaped)
    basis = (orthonormal * np.sign(np.diag(triangle))).astype(np.float32)
    sync = plane_of(basis[:, 0], rows, columns)
    spectra = np.stack([np.conj(fft.rfft2(turned)) for turned in orientations(sync)])
    return Patterns(number, rows, columns, basis, spectra.astype(np.complex64), key)


def _band() -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The half-plane frequencies of the band, as indices into an `rfft2` of a tile."""
    vertical = np.fft.fftfreq(SIZE)[:, None]
    horizontal = np.fft.rfftfreq(SIZE)[None, :]
    radius = np.hypot(vertical, horizontal)
    is_free = (horizontal > 0) | (vertical > 0)  # column 0 holds each frequency twice
    rows, columns = np.nonzero((radius >= LOW) & (radius <= HIGH) & is_free)
    return rows, columns


def plane_of(vector: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp]) -> Plane:
    """The tile, float32 [96, 96] of unit energy, of a unit vector in the band."""
    spectrum = np.zeros((SIZE, SIZE // 2 + 1), np.complex64)
    half = len(vector) // 2
    spectrum[rows, columns] = (vector[:half] + 1j * vector[half:]) * (SIZE / np.sqrt(2))
    on_axis = columns == 0
    spectrum[-rows[on_axis], 0] = np.conj(spectrum[rows[on_axis], 0])
    return np.asarray(fft.irfft2(spectrum, s=(SIZE, SIZE)), np.float32)


def vector_of(tile: Plane, found: Patterns) -> Plane:
    """The inverse of `plane_of`: the band's coordinates of a tile."""
    spectrum = fft.rfft2(tile)[found.rows, found.columns] * (np.sqrt(2) / SIZE)
    return np.concatenate([spectrum.real, spectrum.imag]).astype(np.float32)


def orientations(tile: Plane) -> list[Plane]:
    """The eight: turned by 0, 90, 180, 270 degrees anticlockwise, then the same of the mirrored
    tile.
    """
    return [np.rot90(side, turns) for side in (tile, tile[:, ::-1]) for turns in range(4)]


def upright(tile: Plane, orientation: int) -> Plane:
    """Undo the orientation that `orientations` numbers."""
    turned = np.rot90(tile, -(orientation % 4))
    return turned[:, ::-1] if orientation >= 4 else turned


def write(identifier: int, key: bytes, scheme: Scheme = "placed") -> Plane:
    """The tile, float32 [96, 96] of unit variance, that carries a 64-bit identifier."""
    found = patterns_for(identifier, key)
    code = convolutional_code.encode(_message(identifier, key, scheme))
    signs = 2.0 * code.astype(np.float32) - 1.0
    weights = np.concatenate([[SYNC_AMPLITUDE], signs / np.sqrt(CODE_BITS)]).astype(np.float32)
    tilt = np.tile((1 + _radius(found) / TILT_FROM) ** -0.5, 2).astype(np.float32)
    tile = plane_of(tilt * (found.basis @ weights), found.rows, found.columns)
    place = placing(identifier, key, scheme)
    turned = orientations(tile / tile.std())[place.orientation]
    return np.asarray(np.roll(turned, (place.row, place.column), (0, 1)), np.float32)


def read(tile: Plane, found: Patterns) -> PatternReading:
    """The identifier of an upright, aligned tile: plainly, or with each band of frequencies weighed
    by how well the sync pattern came through in it.
    """
    reading = read_plainly(tile, found)
    if reading.scheme:
        return reading
    return _reading(_weighed(vector_of(tile, found), found), found)


def read_plainly(tile: Plane, found: Patterns) -> PatternReading:
    """The identifier of an upright, aligned tile whose bands all came through alike."""
    return _reading(vector_of(tile, found) @ found.basis[:, 1:], found)


def _weighed(vector: Plane, found: Patterns) -> Plane:
    """Soft code bits by least squares, for a signal whose bands lost strength unevenly.

    The known sync pattern tells the gain of each band; what it does not explain is noise.
    """
    band = np.tile(
        np.minimum((_radius(found) - LOW) / (HIGH - LOW) * BANDS, BANDS - 1).astype(int), 2
    )
    sync = found.basis[:, 0]
    power = np.bincount(band, vector**2) / np.bincount(band)
    gain = np.bincount(band, vector * sync) / np.bincount(band, sync**2)
    noise = np.maximum(power - (1 + SYNC_AMPLITUDE**-2) * gain**2 / len(vector), 0.2 * power)
    gain = np.maximum(gain, 0.0)[band] / SYNC_AMPLITUDE / np.sqrt(CODE_BITS)
    weight = gain / (noise[band] + 1e-12)
    code = found.basis[:, 1:]
    normal = code.T @ (code * (gain * weight)[:, None].astype(np.float32))
    right = code.T @ (weight * vector).astype(np.float32)
    return np.asarray(np.linalg.solve(normal + np.eye(CODE_BITS), right), np.float32)


def _radius(found: Patterns) -> NDArray[np.float64]:
    """Cycles a pixel of each frequency of the band."""
    return np.asarray(np.hypot(np.fft.fftfreq(SIZE)[found.rows], found.columns / SIZE))


def _reading(soft: Plane, found: Patterns) -> PatternReading:
    soft = soft / (np.sqrt(np.mean(soft**2)) + 1e-9)
    message = convolutional_code.decode(soft)
    signs = 2.0 * convolutional_code.encode(message) - 1.0
    identifier = int.from_bytes(np.packbits(message[:IDENTIFIER_BITS]).tobytes())
    scheme = None
    if _set_number(identifier, found.key) == found.number:
        of = (each for each in SCHEMES if (message == _message(identifier, found.key, each)).all())
        scheme = next(of, None)
    return PatternReading(identifier, scheme, float(np.mean(signs * soft)))


def _message(identifier: int, key: bytes, scheme: Scheme) -> NDArray[np.uint8]:
    """Identifier and keyed check bits, most significant bit first."""
    about = b"check" if scheme == "fixed" else b"check placed"
    number = identifier.to_bytes(IDENTIFIER_BITS // 8)
    check = _keyed(about, identifier, key)[: CHECK_BITS // 8]
    return np.unpackbits(np.frombuffer(number + check, np.uint8))
