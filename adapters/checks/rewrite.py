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

from adapters.checks import lora_equivalents, weight_scan
from adapters.checks.channel_checks import Channel
from adapters.checks.inspection import Inspection
from adapters.checks.layer_checks import Module
from adapters.checks.rank_reduction import fit
from adapters.checks.weight_scan import Floats
from adapters.formats.safetensors_header import DTYPE_BYTES, Header, Tensor
from adapters.formats.target_modules import MAIN, Layer

Dtype = Literal["F16", "BF16", "F32"]
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
    is bf16 or fp16 would lose it, and fp32 for products of another kind's matrices and for vectors,
    which fp16 would round. The same source gives the same bytes."""
    is_lora = all(module.kind == "LoRA" and not module.vectors for module in source.modules)
    dtypes = {t.dtype for module in source.modules for t in module.tensors.values()}
    dtype: Dtype = "BF16" if "BF16" in dtypes else "F16"
    if not is_lora:
        dtype = "F32"
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

        put(_header(source.modules, ranks, dtype))
        for layer, down, up, beside in _layers(source):
            fitted = fit(down, up, rank=ranks[layer])
            if len(down) > ranks[layer]:
                kept[layer.name] = round(fitted.kept, 6)
            data = [_cast(numbers, dtype) for numbers in (fitted.down, fitted.up, *beside)]
            for part in data:
                put(part)
            digests[layer.name] = hashlib.sha256(b"".join(data)).hexdigest()
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


def _header(modules: Sequence[Module], ranks: dict[Layer, int], dtype: Dtype) -> bytes:
    """The layers in the order in which `_layers` gives them."""
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for module in modules:
        for layer in module.target.layers:
            rank, square = ranks[layer], (1, 1) if layer.kernel else ()
            shapes: dict[str, tuple[int, ...]] = {
                "lora_A.weight": (rank, layer.inputs, *square),
                "lora_B.weight": (layer.outputs, rank, *square),
            }
            for channel in _channels(module):
                is_inner = channel == "magnitude_in"
                shapes[channel] = (layer.inputs if is_inner else layer.outputs,)
            for name, shape in shapes.items():
                end = begin + DTYPE_BYTES[dtype] * prod(shape)
                entries[f"{name_of(layer)}.{name}"] = {
                    "dtype": dtype, "shape": shape, "data_offsets": [begin, end],
                }  # fmt: skip
                begin = end
    text = json.dumps(entries, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text


def _channels(module: Module) -> list[Channel]:
    """Each once: what two biases say is added up."""
    return sorted({channel for channel, _ in module.vectors.values()})


def _layers(source: TensorSource) -> Iterator[tuple[Layer, Floats, Floats, list[Floats]]]:
    """Each layer with `lora_A` [r, in], scaled `lora_B` [out, r] and what stands beside them."""
    with source.path.open("rb") as file:
        for module in source.modules:
            parts = {
                name: _matrix(file, source.header, tensor)
                for name, tensor in module.tensors.items()
            }
            if module.kind == "LoRA":
                down, up = parts["down"], parts["up"]
            else:
                down, up = lora_equivalents.pair(module.kind, parts)
            beside = _beside(file, source.header, module)
            scaled = _in_order(up if module.scaling == 1 else up * module.scaling, module)
            begin = 0
            for layer in module.target.layers:
                rows = slice(begin, begin + layer.outputs)
                yield (
                    layer,
                    down,
                    scaled[rows],
                    [
                        numbers if channel == "magnitude_in" else numbers[rows]
                        for channel, numbers in beside.items()
                    ],
                )
                begin += layer.outputs


def _in_order(rows: Floats, module: Module) -> Floats:
    return np.roll(rows, len(rows) // 2, axis=0) if module.target.is_shift_first else rows


def _beside(file: BinaryIO, header: Header, module: Module) -> dict[Channel, Floats]:
    """Vectors in the order of `_channels`; a LoRA's own bias is scaled as its matrices are."""
    found: dict[Channel, Floats] = {}
    for kind, (channel, tensor) in sorted(module.vectors.items(), key=lambda item: item[1][0]):
        numbers = _matrix(file, header, tensor).reshape(-1)
        if kind == "LoRA with biases":
            numbers = numbers * module.scaling
        if channel != "magnitude_in":
            numbers = _in_order(numbers, module)
        found[channel] = found[channel] + numbers if channel in found else numbers
    return found


def _matrix(file: BinaryIO, header: Header, tensor: Tensor) -> Floats:
    file.seek(header.data_begins_at + tensor.begin)
    numbers = weight_scan.floats(file.read(tensor.end - tensor.begin), tensor.dtype)
    return numbers.reshape(tensor.shape[0], -1)


def _cast(numbers: Floats, dtype: Dtype) -> bytes:
    """Rounded to nearest even, as torch casts. Raises OutOfRange for fp16."""
    if dtype == "F32":
        return numbers.astype("<f4").tobytes()
    if dtype == "BF16":
        bits = numbers.astype(np.float32).view(np.uint32)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16
        return rounded.astype("<u2").tobytes()
    largest = float(np.abs(numbers).max(initial=0))
    if largest > LARGEST_F16 or 0 < largest < SMALLEST_F16:
        raise OutOfRange
    return numbers.astype("<f2").tobytes()
