"""Builds safetensors files byte by byte, so that tests depend on no library's idea of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.formats import safetensors_header
from adapters.formats.safetensors_header import DTYPE_BYTES

Shape = tuple[int, ...]
CODES = {"float16": "F16", "float32": "F32", "float64": "F64", "uint16": "BF16", "int64": "I64"}


def encode(header: Any, data: bytes = b"", *, length: int | None = None) -> bytes:
    """A file with this header and data; `length` is claimed in place of the header's own."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    size = len(text) if length is None else length
    return size.to_bytes(8, "little") + text + data


def entry(dtype: str, shape: Shape, begin: int) -> dict[str, Any]:
    end = begin + prod(shape) * DTYPE_BYTES[dtype]
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def table(shapes: Mapping[str, Shape], *, dtype: str = "F16", begin: int = 0) -> dict[str, Any]:
    """A header's entries for tensors that lie one after the other."""
    entries = {}
    for name, shape in shapes.items():
        entries[name] = entry(dtype, shape, begin)
        begin = entries[name]["data_offsets"][1]
    return entries


def zeros(shapes: Mapping[str, Shape], *, metadata: dict[str, str] | None = None) -> bytes:
    """A lawful file of these shapes, all zeros, fp16."""
    entries = table(shapes)
    size = sum(prod(shape) * 2 for shape in shapes.values())
    header = {"__metadata__": metadata} | entries if metadata else entries
    return encode(header, bytes(size))


def arrays(tensors: Mapping[str, NDArray[Any]], *, metadata: dict[str, str] | None = None) -> bytes:
    """A lawful file of these arrays; uint16 ones are bf16 bit patterns."""
    entries: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    data = b""
    for name, array in tensors.items():
        entries[name] = entry(CODES[array.dtype.name], array.shape, len(data))
        data += np.ascontiguousarray(array).tobytes()
    return encode(entries, data)


def write(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def as_kohya(path: Path) -> bytes:
    """A UNet's LoRA in diffusers' naming, written anew as kohya's scripts would have saved it."""
    found = safetensors_header.read_file(path)
    data = path.read_bytes()[found.data_begins_at :]
    entries: dict[str, Any] = {}
    for tensor in found.tensors:
        stem, half = tensor.name.removeprefix("unet.").removesuffix(".weight").rsplit(".", 1)
        name = (
            f"lora_unet_{stem.replace('.', '_')}.lora_{ {'lora_A': 'down', 'lora_B': 'up'}[half] }"
        )
        entries[f"{name}.weight"] = entry(tensor.dtype, tensor.shape, tensor.begin)
    return encode({"__metadata__": {"ss_network_module": "networks.lora"}} | entries, data)
