"""Reads an adapter's numbers once, from front to back, in bounded memory.

One pass tells whether every weight is finite, and each tensor's norm; where the file's SHA-256 is
not known yet, a second thread takes it meanwhile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from adapters.formats.detection import first_ten
from adapters.formats.file_verdicts import FileRefused
from adapters.formats.safetensors_header import DTYPE_BYTES, Header, Tensor

CHUNK_BYTES = 512 * 1024  # what is worked on stays in the processor's cache
NUMPY = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
F16_INFINITY = 0x7C00
F16_TO_F32 = np.float32(2.0**112)  # what fp32's exponent exceeds fp16's by
Progress = Callable[[int, int], None]
Floats = NDArray[np.float32] | NDArray[np.float64]


class WeightsNotFinite(FileRefused, code="not_finite"):
    """NaN or infinity among the weights."""


@dataclass(frozen=True, slots=True)
class Scan:
    """`norms` holds the Frobenius norm of each tensor of floating-point numbers, by name."""

    sha256: str
    norms: dict[str, float]
    not_finite: tuple[str, ...]

    def check(self) -> None:
        """Raises WeightsNotFinite."""
        if self.not_finite:
            raise WeightsNotFinite(
                message=(
                    "One tensor holds"
                    if len(self.not_finite) == 1
                    else f"{len(self.not_finite)} tensors hold"
                )
                + f" NaN or infinity: {first_ten(self.not_finite)}."
            )


def scan(path: Path, header: Header, *, sha256: str = "", progress: Progress | None = None) -> Scan:
    """`sha256`: the file's digest, if it was taken when the file came."""
    norms, broken = {}, []
    with ThreadPoolExecutor(1) as beside, path.open("rb", buffering=0) as file:
        digest = beside.submit(_sha256, path) if not sha256 else None
        file.seek(header.data_begins_at)
        ruler = Ruler()
        for tensor in header.tensors:
            squares = ruler.sum_of_squares(file, tensor)
            if isfinite(squares):
                norms[tensor.name] = sqrt(squares)
            else:
                broken.append(tensor.name)
            if progress:
                progress(tensor.end, header.tensors[-1].end)
    return Scan(digest.result() if digest else sha256, norms, tuple(broken))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


class Ruler:
    """Measures tensor after tensor in the same few buffers."""

    def __init__(self) -> None:
        self._read = np.empty(CHUNK_BYTES, np.uint8)
        self._halves = np.empty(CHUNK_BYTES // 2, np.uint16)
        self._wide = np.empty(CHUNK_BYTES // 2, np.uint32)

    def sum_of_squares(self, file: BinaryIO, tensor: Tensor) -> float:
        """Of the tensor that the file stands at; infinite or NaN exactly when a number is."""
        total, left = 0.0, tensor.end - tensor.begin
        while left:
            chunk = self._read[: min(left, CHUNK_BYTES)]
            _fill(chunk, file)
            total += self._squares(chunk, tensor.dtype)
            left -= chunk.size
        return total

    def _squares(self, chunk: NDArray[np.uint8], dtype: str) -> float:
        if dtype == "F16":
            return self._squares_f16(chunk.view("<u2"))
        if dtype == "BF16":
            wide = self._wide[: chunk.size // 2]
            np.copyto(wide, chunk.view("<u2"))
            np.left_shift(wide, 16, out=wide)
            return _squares(wide.view(np.float32))
        return _squares(floats(chunk.data, dtype))

    def _squares_f16(self, bits: NDArray[np.uint16]) -> float:
        """By moving the bits to fp32's places, four times as fast as numpy's own conversion."""
        halves, wide = self._halves[: bits.size], self._wide[: bits.size]
        np.bitwise_and(bits, 0x7FFF, out=halves)
        if halves.max() >= F16_INFINITY:
            return float("inf")
        np.copyto(wide, halves)
        np.left_shift(wide, 13, out=wide)
        numbers = wide.view(np.float32)
        np.multiply(numbers, F16_TO_F32, out=numbers)
        return _squares(numbers)


def floats(data: bytes | bytearray | memoryview, dtype: str) -> Floats:
    """Raw little-endian numbers as float32 (float64 for F64); bf16 is the upper half of fp32."""
    if dtype == "BF16":
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    if dtype == "F64":
        return np.frombuffer(data, "<f8")
    if dtype in NUMPY:
        numbers: NDArray[np.float32] = np.frombuffer(data, NUMPY[dtype]).astype(np.float32)
        return numbers
    return np.zeros(0, np.float32)


def read_scalar(file: BinaryIO, header: Header, tensor: Tensor) -> float:
    """The first number of a tensor; NaN for a dtype that holds no numbers we read."""
    file.seek(header.data_begins_at + tensor.begin)
    numbers = floats(file.read(DTYPE_BYTES[tensor.dtype]), tensor.dtype)
    return float(numbers[0]) if numbers.size else float("nan")


def _squares(numbers: Floats) -> float:
    """Sum of squares; infinite or NaN exactly when a number is, whatever fp32 can hold."""
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is measured once more
        total = float(np.dot(numbers, numbers))
        if isfinite(total) or not np.isfinite(numbers).all():
            return total
        wide: NDArray[Any] = numbers.astype(np.float64)
        return min(float(np.dot(wide, wide)), np.finfo(np.float64).max)


def _fill(buffer: NDArray[np.uint8], file: BinaryIO) -> None:
    """Every byte of the buffer; the header was checked against the file's size."""
    left = buffer.data
    while left:
        got = file.readinto(left)  # type: ignore[attr-defined] # raw files have it
        if not got:
            raise EOFError("the file became shorter while it was read")
        left = left[got:]
