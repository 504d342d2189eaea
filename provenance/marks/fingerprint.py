"""PDQ, a perceptual hash of 256 bits (Meta, "The TMK+PDQF video-hashing and the PDQ image-hashing
algorithm", 2019). Pure.
"""

import numpy as np
import pdqhash
from numpy.typing import NDArray

BITS = 256
BAND_BITS = 16
SAME_PICTURE_DISTANCE = 31
"""The distance up to which the paper takes two pictures for the same."""


def pdq(pixels: NDArray[np.uint8]) -> bytes:
    """The fingerprint of uint8 [H, W, 3] RGB pixels, 32 bytes."""
    bits, _quality = pdqhash.compute(np.ascontiguousarray(pixels))
    return np.packbits(bits.astype(np.uint8)).tobytes()


def pdq_orientations(pixels: NDArray[np.uint8]) -> list[bytes]:
    """The fingerprints of the eight mirrored and right-angle turned versions, the upright one
    first.
    """
    hashes, _quality = pdqhash.compute_dihedral(np.ascontiguousarray(pixels))
    return [np.packbits(bits.astype(np.uint8)).tobytes() for bits in hashes]


def distance(left: bytes, right: bytes) -> int:
    """Hamming distance in bits, 0 to 256."""
    return (int.from_bytes(left) ^ int.from_bytes(right)).bit_count()


def bands(fingerprint: bytes) -> list[int]:
    """The sixteen 16-bit pieces of a fingerprint, each with its place in its upper bits."""
    size = BAND_BITS // 8
    return [
        band << BAND_BITS | int.from_bytes(fingerprint[band * size : (band + 1) * size])
        for band in range(BITS // BAND_BITS)
    ]


def near_bands(fingerprint: bytes) -> list[int]:
    """Every band within one bit: a fingerprint at most 31 bits away shares at least one of them.

    Thirty-one differing bits over sixteen bands leave one band with at most one (pigeonhole).
    """
    flips = [0, *(1 << bit for bit in range(BAND_BITS))]
    return [band ^ flip for band in bands(fingerprint) for flip in flips]
