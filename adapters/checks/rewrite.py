"""Writes an accepted adapter in the one form that the platform loads.

PEFT's names below the component's (`unet.….lora_A.weight`), one dtype, fused layers apart, and the
factor alpha / r multiplied into `lora_B`, so that nothing but the two matrices is needed to fill a
slot. One mapping of names serves the verdict and this file, so they cannot disagree; that it means
what diffusers means is proved against diffusers' own loader in the tests (docs/adr/0014).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import BinaryIO, Literal

import numpy as np

from adapters.checks import weight_scan
from adapters.checks.inspection import Inspection
from adapters.checks.layer_checks import Module
from adapters.checks.rank_reduction import fit
from adapters.checks.weight_scan import Floats
from adapters.formats.safetensors_header import Header, Tensor
from adapters.formats.target_modules import MAIN, Layer

Dtype = Literal["F16", "BF16"]
Progress = Callable[[int, int], None]
LARGEST_F16 = 65504.0
SMALLEST_F16 = 2.0**-14  # below it fp16 loses digits


class OutOfRange(Exception):
    """A number does not survive fp16: the file is written in bf16 instead."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """What was written; `kept` holds the kept energy of each layer that was fitted.

    `content_sha256` is that of the layers alone, in the order of their names: equal for two files
    that say the same under other names, in another order, with alpha apart or with other metadata.
    """

    path: Path
    sha256: str
    content_sha256: str
    size_bytes: int
    rank: int
    dtype: Dtype
    kept: dict[str, float]


@dataclass(frozen=True, slots=True)
class TensorSource:
    """An inspected file: its header and the modules that were found in it."""

    path: Path
    header: Header
    modules: tuple[Module, ...]

    @classmethod
    def of(cls, path: Path, found: Inspection) -> TensorSource:
        """What an inspection found. ValueError where it refused before it knew the modules."""
        if found.header is None or not found.modules:
            raise ValueError("the file was refused before its modules were known")
        return cls(path, found.header, found.modules)


def write(
    source: TensorSource, out: Path, *, rank: int | None = None, progress: Progress | None = None
) -> Canonical:
    """Write `source` to `out`, fitted to `rank` where one is given: fp16, or bf16 where the source
    is bf16 or fp16 would lose it. The same source gives the same bytes."""
    is_bf16 = any(module.down.dtype == "BF16" for module in source.modules)
    dtype: Dtype = "BF16" if is_bf16 else "F16"
    while True:
        try:
            return _write(source, out, dtype=dtype, rank=rank, progress=progress)
        except OutOfRange:
            dtype = "BF16"


def name_of(layer: Layer) -> str:
    """The layer as diffusers' loaders expect it: a text encoder's with `text_model`."""
    if layer.component in MAIN:
        return layer.name
    return f"{layer.component}.text_model.{layer.path.removeprefix('text_model.')}"


def _write(
    source: TensorSource, out: Path, *, dtype: Dtype, rank: int | None, progress: Progress | None
) -> Canonical:
    digest, kept, done = hashlib.sha256(), {}, 0
    digests: dict[str, str] = {}
    ranks = _ranks(source.modules, rank)
    with out.open("wb") as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        put(_header(ranks, dtype))
        for layer, down, up in _pairs(source):
            fitted = fit(down, up, rank=ranks[layer])
            if len(down) > ranks[layer]:
                kept[layer.name] = round(fitted.kept, 6)
            down_bytes, up_bytes = _cast(fitted.down, dtype), _cast(fitted.up, dtype)
            put(down_bytes)
            put(up_bytes)
            digests[layer.name] = hashlib.sha256(down_bytes + up_bytes).hexdigest()
            done += 1
            if progress:
                progress(done, len(ranks))
        size = file.tell()
    lines = [f"{name} {digests[name]}\n" for name in sorted(digests)]
    content = hashlib.sha256("".join([f"{dtype}\n", *lines]).encode()).hexdigest()
    return Canonical(out, digest.hexdigest(), content, size, max(ranks.values()), dtype, kept)


def _ranks(modules: Sequence[Module], rank: int | None) -> dict[Layer, int]:
    return {
        layer: min(module.rank, rank or module.rank)
        for module in modules
        for layer in module.target.layers
    }


def _header(ranks: dict[Layer, int], dtype: Dtype) -> bytes:
    """The layers in the order in which `_pairs` gives them."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for layer, rank in ranks.items():
        square = (1, 1) if layer.kernel else ()
        for half, shape in (
            ("A", (rank, layer.inputs, *square)),
            ("B", (layer.outputs, rank, *square)),
        ):
            end = begin + 2 * prod(shape)
            entries[f"{name_of(layer)}.lora_{half}.weight"] = {
                "dtype": dtype, "shape": shape, "data_offsets": [begin, end],
            }  # fmt: skip
            begin = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _pairs(source: TensorSource) -> Iterator[tuple[Layer, Floats, Floats]]:
    """Each layer with `lora_A` [r, in] and scaled `lora_B` [out, r]."""
    with source.path.open("rb") as file:
        for module in source.modules:
            down = _matrix(file, source.header, module.down, module.rank)
            up = _matrix(file, source.header, module.up, module.target.outputs)
            scaled = up if module.scaling == 1 else up * module.scaling
            if module.target.is_shift_first:
                scaled = np.roll(scaled, len(scaled) // 2, axis=0)
            begin = 0
            for layer in module.target.layers:
                yield layer, down, scaled[begin : begin + layer.outputs]
                begin += layer.outputs


def _matrix(file: BinaryIO, header: Header, tensor: Tensor, rows: int) -> Floats:
    file.seek(header.data_begins_at + tensor.begin)
    return weight_scan.floats(file.read(tensor.end - tensor.begin), tensor.dtype).reshape(rows, -1)


def _cast(numbers: Floats, dtype: Dtype) -> bytes:
    """Rounded to nearest even, as torch casts. Raises OutOfRange for fp16."""
    if dtype == "BF16":
        bits = numbers.astype(np.float32).view(np.uint32)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        return rounded.astype("<u2").tobytes()
    largest = float(np.abs(numbers).max(initial=0))
    if largest > LARGEST_F16 or 0 < largest < SMALLEST_F16:
        raise OutOfRange
    return numbers.astype("<f2").tobytes()
