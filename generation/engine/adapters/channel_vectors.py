"""What adapters change of a layer beside its two matrices: factors of its inputs and outputs, and a
bias, number by number.

With e, c and d summed over a row's adapters, each times its weight, the layer gives
y + c*y + d for y = W(x + e*x) + b. So DoRA is served: its magnitudes are factors on W's rows
(PEFT) or columns (LyCORIS), and its matrices are scaled by them once, when it is read
(`dora`). A weight below 1 is part of the way to the adapted weights, as in ComfyUI; PEFT would norm
them anew for each weight. Rows without such an adapter add zeros, and while no row of a batch has
one, a layer does nothing more.

Source: DoRA, arXiv 2402.09353.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Wearing = tuple[tuple[int, float], ...]  # (slot, weight) of each adapter of one row
_BITS = {2: torch.int16, 4: torch.int32}  # numpy knows no bfloat16


class ChannelChange(NamedTuple):
    """`inner` [in] and `outer` [out] are factors less 1; in a batch each has a row for each row."""

    inner: Tensor
    outer: Tensor
    bias: Tensor


class ChannelVectors:
    """Slots of them beside those of the matrices; `sizes` are each layer's numbers in and out."""

    def __init__(
        self,
        sizes: Mapping[str, tuple[int, int]],
        *,
        slots: int,
        device: torch.device,
        dtype: torch.dtype,
        rows_kept: int,
    ) -> None:
        self._widths = {name: (width, height, height) for name, (width, height) in sizes.items()}
        ends = np.cumsum([sum(widths) for widths in self._widths.values()]).tolist()
        self._begins = dict(zip(self._widths, [0, *ends], strict=False))
        self.flat_size = ends[-1] if ends else 0
        self._store = torch.zeros(slots + 1, self.flat_size, device=device, dtype=dtype)
        self._layers: dict[int, frozenset[str]] = {}
        self._rows_kept = rows_kept
        self._kept: Tensor | None = None
        self._sheet = self._store[:0]
        self.changed: frozenset[str] = frozenset()

    def install(self, slot: int, flat: Tensor, layers: frozenset[str]) -> None:
        """Put into a slot what changes `layers`; nothing is copied where there are none."""
        if layers or self._layers.get(slot):
            self._store[slot].copy_(flat, non_blocking=True)
        self._layers[slot] = layers

    def flatten(self, changes: Mapping[str, ChannelChange], *, dtype: torch.dtype) -> Tensor:
        """As one slot's row."""
        flat = torch.zeros(self.flat_size, dtype=dtype)
        for name, change in changes.items():
            begin = self._begins[name]
            flat[begin : begin + sum(self._widths[name])] = torch.cat(change).to(dtype)
        return flat

    def layers_in(self, flat: Tensor) -> frozenset[str]:
        """The layers that a flat adapter changes."""
        if not flat.numel():
            return frozenset()
        bits = flat.view(_BITS[flat.element_size()]).numpy()
        changed = np.logical_or.reduceat(bits, list(self._begins.values()))
        return frozenset(
            n for n, is_changed in zip(self._begins, changed, strict=True) if is_changed
        )

    def gather(self, rows: Sequence[Wearing]) -> None:
        """Sum up what each row wears; costs nothing where no row wears any."""
        worn = {slot for row in rows for slot, _ in row}
        self.changed = frozenset().union(*(self._layers.get(slot, ()) for slot in worn))
        if not self.changed:
            return
        if self._rows_kept:
            if self._kept is None:
                self._kept = self._store.new_empty(self._rows_kept, self.flat_size)
            self._sheet = self._kept[: len(rows)].zero_()
        else:
            self._sheet = self._store.new_zeros(len(rows), self.flat_size)
        for row, into in zip(rows, self._sheet, strict=True):
            for slot, weight in row:
                into.add_(self._store[slot], alpha=weight)

    def of(self, name: str) -> ChannelChange:
        """What the rows of the batch wear of a layer."""
        begin = self._begins[name]
        block = self._sheet[:, begin : begin + sum(self._widths[name])]
        return ChannelChange(*block.split(self._widths[name], dim=1))


class Dora(NamedTuple):
    """Scaled matrices, and what they are added to."""

    down: Tensor
    up: Tensor
    change: ChannelChange


def dora(
    weight: Tensor,
    bias: Tensor | None,
    down: Tensor,
    up: Tensor,
    magnitude: Tensor,
    *,
    is_inner: bool,
) -> Dora:
    """Of `weight` [out, in] with `lora_A` [r, in] and scaled `lora_B` [out, r]: rows of their sum,
    or columns if `is_inner`, are brought to the lengths `magnitude`; those of zeros alone stay
    so, where PEFT would give NaN."""
    lengths = (weight + up @ down).norm(dim=0 if is_inner else 1)
    factor = torch.where(lengths > 0, magnitude / lengths, 1)
    change = nothing(weight)
    if is_inner:
        return Dora(down * factor, up, change._replace(inner=factor - 1))
    outer = factor - 1
    shift = change.bias if bias is None else -outer * bias
    return Dora(down, up * factor[:, None], change._replace(outer=outer, bias=shift))


def nothing(weight: Tensor) -> ChannelChange:
    """No change of a layer with that weight [out, in]."""
    height, width = weight.shape
    return ChannelChange(torch.zeros(width), torch.zeros(height), torch.zeros(height))
