"""Bounded reader of a safetensors header. Pure; reads nothing but the header.

Source: the format section of the safetensors README: 8 bytes little-endian header length, JSON,
then the data without holes. Shapes are the truth; metadata is hearsay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, BinaryIO, cast

from adapters.formats.file_verdicts import FileRefused

HEADER_MAX_BYTES = 16 * 1024 * 1024
TENSORS_MAX = 10_000
BRACKETS_MAX = 100_000  # three a tensor
COMMAS_MAX = 500_000
# A text of JSON with its quotes; one that does not end matches too, so that no byte is read twice.
TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"?+', re.DOTALL)
WITHOUT_METADATA = (
    "Save it without metadata: trainers can leave out their tables of tags (kohya's --no_metadata)."
)
NAME_MAX_CHARACTERS = 500
DTYPE_BYTES = {
    "F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1,
    "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1,
}  # fmt: skip


class NotSafetensors(FileRefused, code="not_safetensors"):
    """A pickle, an archive, a picture: whatever it is, it is not opened."""


class HeaderInvalid(FileRefused, code="header_invalid"):
    """The header is no JSON table of tensors, or its tensors contradict each other."""


class Truncated(FileRefused, code="truncated"):
    """The header promises more bytes than there are."""


class NoTensors(FileRefused, code="empty"):
    """Nothing is in the file, or nothing but metadata."""


@dataclass(frozen=True, slots=True)
class Tensor:
    """`begin` and `end` are byte offsets into the data, which follows the header."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class Header:
    """What a file says of its tensors; `data_begins_at` is in bytes from the file's start."""

    tensors: tuple[Tensor, ...]
    metadata: dict[str, str]
    data_begins_at: int


def read_file(path: Path) -> Header:
    """Raises what `read` raises, and OSError."""
    with path.open("rb") as file:
        return read(file, size_bytes=path.stat().st_size)


def read(file: BinaryIO, *, size_bytes: int) -> Header:
    """The header of a file of `size_bytes`, positioned at its start.

    Raises NotSafetensors, HeaderInvalid, Truncated, NoTensors, and reads at most 16 MiB.
    """
    start = file.read(8)
    if not start:
        raise NoTensors(message="The file is empty.")
    if len(start) < 8:
        raise NotSafetensors
    length = int.from_bytes(start, "little")
    if length > max(size_bytes, HEADER_MAX_BYTES):
        raise NotSafetensors  # the first bytes are no length: a pickle, an archive, a picture
    if length > HEADER_MAX_BYTES:
        raise HeaderInvalid(
            message=f"The header has {length:,} bytes; {HEADER_MAX_BYTES:,} are read, which is "
            "more than any adapter's layers need.",
            advice=WITHOUT_METADATA,
        )
    text = file.read(length)
    if text[:1] != b"{":
        raise NotSafetensors
    if len(text) < length:
        raise Truncated
    entries = _parse(text)
    metadata = _metadata(entries.pop("__metadata__", {}))
    tensors = _tensors(entries)
    _check_layout(tensors, data_bytes=size_bytes - 8 - length)
    return Header(tensors, metadata, 8 + length)


def _parse(text: bytes) -> dict[str, Any]:
    # Counting is cheap; building a million small tables takes seconds and hundreds of MiB. What a
    # text holds builds nothing: metadata may be full of tables.
    if text.count(b"{") + text.count(b"[") > BRACKETS_MAX or text.count(b",") > COMMAS_MAX:
        bones = TEXT.sub(b"", text)
        if bones.count(b"{") + bones.count(b"[") > BRACKETS_MAX or bones.count(b",") > COMMAS_MAX:
            raise HeaderInvalid(message="The header names more tensors than any adapter has.")

    def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        unique = dict(pairs)
        if len(unique) < len(pairs):
            raise HeaderInvalid(message="The header names a tensor twice.")
        return unique

    try:
        entries = json.loads(text.decode("utf-8"), object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as error:
        raise HeaderInvalid(message="The header is not valid JSON.") from error
    return cast(dict[str, Any], entries)  # it begins with a brace


def _metadata(value: Any) -> dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
        raise HeaderInvalid(message="The metadata is not a table of texts.")
    return value


def _tensors(entries: dict[str, Any]) -> tuple[Tensor, ...]:
    if not entries:
        raise NoTensors
    if len(entries) > TENSORS_MAX:
        raise HeaderInvalid(message=f"The header names more than {TENSORS_MAX} tensors.")
    return tuple(sorted((_tensor(name, entry) for name, entry in entries.items()), key=_place))


def _place(tensor: Tensor) -> tuple[int, int]:
    return tensor.begin, tensor.end


def _tensor(name: str, entry: Any) -> Tensor:
    if not name.isprintable() or len(name) > NAME_MAX_CHARACTERS:
        raise HeaderInvalid(message="A tensor's name is too long or holds control characters.")
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise HeaderInvalid(message="A tensor of the header is not described as one.")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPE_BYTES:
        raise HeaderInvalid(message="A tensor has an unknown number type.")
    if not _are_sizes(shape) or not _are_sizes(offsets) or len(offsets) != 2:
        raise HeaderInvalid(message="A tensor has an impossible shape or place.")
    begin, end = offsets
    if end - begin != prod(shape) * DTYPE_BYTES[dtype]:
        raise HeaderInvalid(message="A tensor's place does not fit its shape.")
    return Tensor(name, dtype, tuple(shape), begin, end)


def _are_sizes(value: Any) -> bool:
    """A short list of whole numbers that fit 63 bits; `True` is no number here."""
    return (
        isinstance(value, list)
        and len(value) <= 8
        and all(type(item) is int and 0 <= item < 2**63 for item in value)
    )


def _check_layout(tensors: Iterable[Tensor], *, data_bytes: int) -> None:
    position = 0
    for tensor in tensors:
        if tensor.begin != position:
            raise HeaderInvalid(message="The tensors overlap or leave a hole.")
        position = tensor.end
    if position > data_bytes:
        raise Truncated
    if position < data_bytes:
        raise HeaderInvalid(message="Bytes follow that no tensor owns.")
