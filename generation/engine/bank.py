"""The weights of many adapters side by side, so that each row of a batch can wear its own.

One slot is one row of a matrix: all `lora_A` of an adapter, then all its `lora_B`, zero-padded to
the rank ceiling. So installing an adapter is one copy, and dressing a batch is one gather over
the whole model, kept while the batch stays the same. A layer then adds `B(Ax)` by two batched
products. Slot 0 is all zeros: no adapter.

Ideas: S-LoRA (arXiv 2311.03285) for the gather by row; written anew, because neither PEFT nor
diffusers can give each row of a diffusion batch its own adapter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

Hook = Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor | None]
Wearing = tuple[tuple[int, float], ...]  # (slot, weight) of each adapter of one row
ALIGNMENT = 64  # elements; keeps every layer's block on a cache line
_BITS = {2: torch.int16, 4: torch.int32}  # numpy knows no bfloat16


@dataclass(frozen=True, slots=True)
class Place:
    """Where a layer's `lora_A` [rank, in] and `lora_B` [out, rank] lie in a slot."""

    in_features: int
    out_features: int
    down_at: int
    up_at: int


class Bank:
    """Adapter slots over the linear `layers` of one network.

    `flat_size` is the number of elements of one slot; `layout_digest` changes whenever a flat file
    made for another layout would no longer fit.
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        *,
        slots: int,
        rank: int,
        device: torch.device,
        dtype: torch.dtype,
    ) -> None:
        self.rank = rank
        self.places, self.ups_at, self.flat_size = _lay_out(layers, rank)
        self.layout_digest = hashlib.sha256(repr((rank, dtype, self.places)).encode()).hexdigest()
        self.dtype = dtype
        self._store = torch.zeros(slots + 1, self.flat_size, device=device, dtype=dtype)
        self._layers: dict[int, frozenset[str]] = {}
        self._worn: dict[str, list[tuple[Tensor, Tensor]]] = {}
        self._worn_key: Any = None
        for name, layer in layers.items():
            is_linear = isinstance(layer, nn.Linear)
            hook = self._linear_hook(name) if is_linear else self._convolution_hook(name)
            layer.register_forward_hook(hook)

    def install(self, slot: int, flat: Tensor, layers: frozenset[str]) -> None:
        """Put a flat adapter that changes `layers` into a slot."""
        self._store[slot].copy_(flat, non_blocking=True)
        self._layers[slot] = layers
        self._worn_key = None

    def flatten(self, layers: Mapping[str, tuple[Tensor, Tensor]]) -> Tensor:
        """`lora_A` [r, in] and `lora_B` [out, r] (scaled) by layer, as one slot's row."""
        flat = torch.zeros(self.flat_size, dtype=self.dtype)
        for name, (down, up) in layers.items():
            place, rank = self.places[name], len(down)
            flat[place.down_at : place.down_at + down.numel()] = down.flatten()
            block = flat[place.up_at : place.up_at + place.out_features * self.rank]
            block.view(place.out_features, self.rank)[:, :rank] = up
        return flat

    def layers_in(self, flat: Tensor) -> frozenset[str]:
        """The layers that a flat adapter changes."""
        bits = flat[self.ups_at :].view(_BITS[flat.element_size()]).numpy()
        starts = [place.up_at - self.ups_at for place in self.places.values()]
        changed = np.logical_or.reduceat(bits, starts)  # the gaps between blocks are zero
        return frozenset(
            name for name, is_changed in zip(self.places, changed, strict=True) if is_changed
        )

    def wear(self, rows: Sequence[Wearing]) -> None:
        """Let row i of the next forwards wear `rows[i]`; cheap while `rows` stay the same."""
        key = tuple(rows)
        if key != self._worn_key:
            self._worn = self._gather(key) if any(rows) else {}
            self._worn_key = key

    def _gather(self, rows: Sequence[Wearing]) -> dict[str, list[tuple[Tensor, Tensor]]]:
        depth = max(len(row) for row in rows)
        sheets = [self._sheet(rows, number) for number in range(depth)]
        worn = {slot for row in rows for slot, _ in row}
        changed = frozenset().union(*(self._layers[slot] for slot in worn))
        return {name: [self._views(s, self.places[name]) for s in sheets] for name in changed}

    def _sheet(self, rows: Sequence[Wearing], number: int) -> Tensor:
        """[rows, flat_size]: each row's adapter of that `number`, `lora_B` times its weight."""
        worn = [row[number] if number < len(row) else (0, 0.0) for row in rows]
        device = self._store.device
        slots = torch.tensor([slot for slot, _ in worn], device=device)
        weights = torch.tensor([weight for _, weight in worn], device=device, dtype=self.dtype)
        sheet = self._store.index_select(0, slots)
        sheet[:, self.ups_at :] *= weights[:, None]
        return sheet

    def _views(self, sheet: Tensor, place: Place) -> tuple[Tensor, Tensor]:
        rows, rank = len(sheet), self.rank
        down = sheet[:, place.down_at : place.down_at + rank * place.in_features]
        up = sheet[:, place.up_at : place.up_at + rank * place.out_features]
        return (
            down.view(rows, rank, place.in_features).transpose(1, 2),
            up.view(rows, place.out_features, rank).transpose(1, 2),
        )

    def _linear_hook(self, name: str) -> Hook:
        def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            worn = self._worn.get(name)
            if worn is None:
                return None
            hidden = inputs[0]
            is_flat = hidden.dim() == 2  # one vector a row, as in modulations
            if is_flat:
                hidden, output = hidden[:, None], output[:, None]
            for down, up in worn:
                output = output.baddbmm_(torch.bmm(hidden, down), up)
            return output[:, 0] if is_flat else output

        return add

    def _convolution_hook(self, name: str) -> Hook:
        """A 1×1 convolution is a linear layer over pixels."""

        def add(layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
            worn = self._worn.get(name)
            if worn is None:
                return None
            hidden = inputs[0].flatten(2).transpose(1, 2)
            pixels = output.view(*output.shape[:2], -1).transpose(1, 2)
            for down, up in worn:
                pixels.baddbmm_(torch.bmm(hidden, down), up)
            return output

        return add


def _lay_out(layers: Mapping[str, nn.Module], rank: int) -> tuple[dict[str, Place], int, int]:
    """The layers' places, where the first `lora_B` lies, and the size of a slot."""
    end = 0

    def take(elements: int) -> int:
        nonlocal end
        begin, end = end, end + -(-elements // ALIGNMENT) * ALIGNMENT
        return begin

    sizes = {name: _features(layer) for name, layer in layers.items()}
    downs = {name: take(rank * width) for name, (width, _) in sizes.items()}
    ups_at = end
    places = {
        name: Place(width, height, downs[name], take(rank * height))
        for name, (width, height) in sizes.items()
    }
    return places, ups_at, end


def _features(layer: nn.Module) -> tuple[int, int]:
    if isinstance(layer, nn.Conv2d):
        return layer.in_channels, layer.out_channels
    assert isinstance(layer, nn.Linear)
    return layer.in_features, layer.out_features


def can_wear(layer: nn.Module) -> bool:
    """Whether a bank can hold adapters of `layer`: linear, or a convolution of 1×1."""
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.groups == 1
    return isinstance(layer, nn.Linear)
