"""Reads an adapter's numbers once, from front to back, in bounded memory.

One pass gives the file's SHA-256, whether every weight is finite, and each tensor's norm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from adapters.header import DTYPE_BYTES, Header, Tensor
from adapters.recognise import first_ten
from adapters.verdicts import Refused

CHUNK_BYTES = 4 * 1024 * 1024
NUMPY = {"F16": "<f2", "F32": "<f4", "F64": "<f8", "I64": "<i8", "I32": "<i4", "I16": "<i2"}
Progress = Callable[[int, int], None]
Floats = NDArray[np.float32] | NDArray[np.float64]


class NotFinite(Refused, code="not_finite"):
    """NaN or infinity among the weights."""


@dataclass(frozen=True, slots=True)
class Scan:
    """`norms` holds the Frobenius norm of each tensor of floating-point numbers, by name."""

    sha256: str
    norms: dict[str, float]
    not_finite: tuple[str, ...]

    def check(self) -> None:
        """Raises NotFinite."""
        if self.not_finite:
            raise NotFinite(
                message=f"{len(self.not_finite)} tensors hold NaN or infinity: "
                f"{first_ten(self.not_finite)}."
            )


def scan(path: Path, header: Header, *, progress: Progress | None = None) -> Scan:
    digest = hashlib.sha256()
    norms, broken = {}, []
    with path.open("rb", buffering=0) as file:
        digest.update(_read(file, header.data_begins_at))
        for tensor in header.tensors:
            squares = 0.0
            for chunk in _chunks(file, tensor):
                digest.update(chunk)
                squares += _squares(floats(chunk, tensor.dtype))
            if isfinite(squares):
                norms[tensor.name] = sqrt(squares)
            else:
                broken.append(tensor.name)
            if progress:
                progress(tensor.end, header.tensors[-1].end)
    return Scan(digest.hexdigest(), norms, tuple(broken))


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
    numbers = floats(_read(file, DTYPE_BYTES[tensor.dtype]), tensor.dtype)
    return float(numbers[0]) if numbers.size else float("nan")


def _squares(numbers: Floats) -> float:
    """Sum of squares; infinite or NaN exactly when a number is, whatever fp32 can hold."""
    total = float(np.dot(numbers, numbers))
    if isfinite(total) or not np.isfinite(numbers).all():
        return total
    wide: NDArray[Any] = numbers.astype(np.float64)
    return min(float(np.dot(wide, wide)), np.finfo(np.float64).max)


def _chunks(file: BinaryIO, tensor: Tensor) -> Any:
    left = tensor.end - tensor.begin
    while left:
        data = _read(file, min(left, CHUNK_BYTES))
        left -= len(data)
        yield data


def _read(file: BinaryIO, size: int) -> bytes:
    """Exactly `size` bytes; the header was checked against the file's size."""
    parts = []
    while size:
        part = file.read(size)
        if not part:
            raise EOFError("the file became shorter while it was read")
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)
