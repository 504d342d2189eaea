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
from typing import BinaryIO, Literal, NamedTuple

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
Shapes = dict[str, tuple[int, ...]]
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
    ranks, own_ranks = _ranks(source.modules, rank), _ranks(source.modules, None)
    shapes = _shapes(source.modules, ranks)
    with out.open("wb") as file:

        def put(data: bytes) -> None:
            digest.update(data)
            file.write(data)

        put(_header(shapes, dtype))
        for layer, down, up, beside, share in _layers(source, rank):
            fitted = fit(down, up, rank=ranks[layer])
            if own_ranks[layer] > ranks[layer]:
                kept[layer.name] = round(share * fitted.kept, 6)
            parts = (fitted.down, fitted.up, *beside)
            assert [part.shape for part in parts] == [s[:2] for s in shapes[layer].values()]
            data = [_cast(numbers, dtype) for numbers in parts]
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
    """A layer that is fitted has no more than its sides allow."""
    return {
        layer: module.rank
        if rank is None or module.rank <= rank
        else min(rank, layer.inputs, layer.outputs)
        for module in modules
        for layer in module.target.layers
    }


def _shapes(modules: Sequence[Module], ranks: dict[Layer, int]) -> dict[Layer, Shapes]:
    """Of each layer's parts, both in the order in which `_layers` gives them."""
    found: dict[Layer, Shapes] = {}
    for module in modules:
        for layer in module.target.layers:
            rank, square = ranks[layer], (1, 1) if layer.kernel else ()
            found[layer] = {
                "lora_A.weight": (rank, layer.inputs, *square),
                "lora_B.weight": (layer.outputs, rank, *square),
            }
            for channel in _channels(module):
                is_inner = channel == "magnitude_in"
                found[layer][channel] = (layer.inputs if is_inner else layer.outputs,)
    return found


def _header(layers: dict[Layer, Shapes], dtype: Dtype) -> bytes:
    entries: dict[str, object] = {"__metadata__": {"format": "pt"}}
    begin = 0
    for layer, shapes in layers.items():
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


class Parts(NamedTuple):
    """`lora_A` [r, in], scaled `lora_B` [out, r] and what stands beside them; `share` is what they
    keep of the layer's squares."""

    layer: Layer
    down: Floats
    up: Floats
    beside: list[Floats]
    share: float


def _layers(source: TensorSource, rank: int | None) -> Iterator[Parts]:
    with source.path.open("rb") as file:
        for module in source.modules:
            down, up, squares = _pair(file, source.header, module, rank)
            beside = _beside(file, source.header, module)
            scaled = up if module.scaling == 1 else up * module.scaling
            begin = 0
            for layer in module.target.layers:
                rows = slice(begin, begin + layer.outputs)
                yield Parts(
                    layer,
                    down,
                    scaled[rows],
                    [
                        numbers if channel == "magnitude_in" else numbers[rows]
                        for channel, numbers in beside.items()
                    ],
                    1.0 if squares is None else _share(down, up[rows], squares[rows]),
                )
                begin += layer.outputs


def _pair(
    file: BinaryIO, header: Header, module: Module, rank: int | None
) -> tuple[Floats, Floats, Floats | None]:
    """`lora_A` and `lora_B` in the order of the layers' rows; of a LoKr that is to be fitted, what
    its layers need of it and the sums of squares of its rows."""
    parts = {name: _matrix(file, header, tensor) for name, tensor in module.tensors.items()}
    most = (rank or module.rank) * len(module.target.layers)
    squares: Floats | None = None
    if module.kind == "LoRA":
        down, up = parts["down"], parts["up"]
    elif module.kind == "LoKr" and module.rank > most:
        down, up, squares = lora_equivalents.largest(parts, rank=most)
        squares = _in_order(squares, module)
    else:
        down, up = lora_equivalents.pair(module.kind, parts)
    return down, _in_order(up, module), squares


def _share(down: Floats, up: Floats, squares: Floats) -> float:
    total = float(squares.sum())
    left = float(((up.T @ up) * (down @ down.T)).sum())
    return min(left / total, 1.0) if total else 1.0


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
