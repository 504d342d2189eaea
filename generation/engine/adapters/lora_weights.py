"""The weights of many adapters side by side, so that each row of a batch can wear its own.

One slot is one row of a matrix: all `lora_A` of an adapter, then all its `lora_B`, zero-padded to
the rank ceiling. So installing an adapter is one copy, and dressing a batch is one gather for the
whole model, kept while the batch stays the same. A layer then adds `B(Ax)` by two batched
products. Slot 0 is all zeros: no adapter.

The layers become subclasses of their own class that know what they wear. Hooks would do the same,
but a compiler traces a block anew for each of them.

Ideas: S-LoRA (arXiv 2311.03285) for the gather by row; written anew, because neither PEFT nor
diffusers can give each row of a diffusion batch its own adapter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from generation.engine.adapters.channel_vectors import ChannelChange, ChannelVectors
from generation.engine.adapters.channel_vectors import Wearing as Wearing
from generation.engine.jobs import AdapterNotLoadable

Pairs = list[tuple[Tensor, Tensor]]  # of one layer: [rows, in, rank] and [rows, rank, out]
ALIGNMENT = 64  # elements; keeps every layer's block on a cache line
EXTENTS_KEPT = 256  # sets of layers: batches of many adapters make ever new ones
_BITS = {2: torch.int16, 4: torch.int32}  # numpy knows no bfloat16


@dataclass(frozen=True, slots=True)
class LayerPlace:
    """Where a layer's `lora_A` [rank, in] and `lora_B` [out, rank] lie in a slot."""

    in_features: int
    out_features: int
    down_at: int
    up_at: int


class WearingLinear(nn.Linear):
    """Adds what each row wears to its output; the input is [rows, n, in] or [rows, in]."""

    worn: Pairs
    channels: list[ChannelChange]

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(self._scaled(input, 0))
        if self.channels:
            output = self._scaled(output, 1) + self._beside(self.channels[0].bias, output)
        if not self.worn:
            return output
        is_flat = input.dim() == 2  # one vector a row, as in modulations
        if is_flat:
            input, output = input[:, None], output[:, None]
        for down, up in self.worn:
            output = output.baddbmm_(torch.bmm(input, down), up)
        return output[:, 0] if is_flat else output

    def _scaled(self, numbers: Tensor, side: int) -> Tensor:
        """The inputs (`side` 0) or outputs (1) as each row's adapters scale them."""
        if not self.channels:
            return numbers
        return torch.addcmul(numbers, numbers, self._beside(self.channels[0][side], numbers))

    def _beside(self, vectors: Tensor, numbers: Tensor) -> Tensor:
        """[rows, width] so that it spreads over what lies between in `numbers`."""
        return vectors if numbers.dim() == 2 else vectors[:, None]


class WearingConvolution(nn.Conv2d):
    """A 1×1 convolution is a linear layer over pixels."""

    worn: Pairs
    channels: list[ChannelChange]

    def forward(self, input: Tensor) -> Tensor:
        output = super().forward(self._scaled(input, 0))
        if self.channels:
            output = self._scaled(output, 1) + self.channels[0].bias[:, :, None, None]
        if not self.worn:
            return output
        hidden = input.flatten(2).transpose(1, 2)
        pixels = output.view(*output.shape[:2], -1).transpose(1, 2)
        for down, up in self.worn:
            pixels.baddbmm_(torch.bmm(hidden, down), up)
        return output

    def _scaled(self, numbers: Tensor, side: int) -> Tensor:
        """As `WearingLinear` does, channel by channel."""
        if not self.channels:
            return numbers
        return torch.addcmul(numbers, numbers, self.channels[0][side][:, :, None, None])


WEARING: dict[type[nn.Module], type[nn.Module]] = {
    nn.Linear: WearingLinear,
    nn.Conv2d: WearingConvolution,
}


class LoraWeights:
    """Adapter slots over the linear `layers` of one network.

    `flat_size` is the number of elements of one slot; `layout_digest` changes whenever a flat file
    made for another layout would no longer fit. With `rows_kept` what a batch of at most so many
    rows wears is always gathered to the same place, where a CUDA graph finds it.
    """

    def __init__(
        self,
        layers: Mapping[str, nn.Module],
        *,
        slots: int,
        rank: int,
        device: torch.device,
        dtype: torch.dtype,
        rows_kept: int = 0,
    ) -> None:
        self.rank = rank
        self.places, self.ups_at, self._width = _lay_out(layers, rank)
        self._modules = dict(layers)
        self._channels = ChannelVectors(
            {name: _features(layer) for name, layer in layers.items()},
            slots=slots,
            device=device,
            dtype=dtype,
            rows_kept=rows_kept,
        )
        self.flat_size = self._width + self._channels.flat_size
        self.layout_digest = hashlib.sha256(repr((rank, dtype, self.places)).encode()).hexdigest()
        self.dtype = dtype
        self._store = torch.zeros(slots + 1, self._width, device=device, dtype=dtype)
        self._layers: dict[int, frozenset[str]] = {}
        self._extents = lru_cache(EXTENTS_KEPT)(self._find_extents)
        wearing = {name: _dressable(layer) for name, layer in layers.items()}
        self._worn = {name: layer.worn for name, layer in wearing.items()}
        self._scaled = {name: layer.channels for name, layer in wearing.items()}
        self._rows: tuple[Wearing, ...] | None = None
        self._sheets: list[Tensor] = []
        self._rows_kept = rows_kept
        self._kept: list[Tensor] = []
        self._is_dressed = True
        self.changed: frozenset[str] = frozenset()

    def install(
        self,
        slot: int,
        flat: Tensor,
        layers: frozenset[str],
        channels: frozenset[str] = frozenset(),
    ) -> None:
        """Put a flat adapter into a slot that changes `layers` by matrices and the `channels` of
        others or the same: what lies between the first and the last matrix is copied, the rest of
        the slot is cleared."""
        self._channels.install(slot, flat[self._width :], channels)
        row, end = self._store[slot], 0
        for begin, stop in self._extents(layers):
            row[end:begin].zero_()
            row[begin:stop].copy_(flat[begin:stop], non_blocking=True)
            end = stop
        row[end:].zero_()
        self._layers[slot] = layers
        self._rows = None

    def _find_extents(self, layers: frozenset[str]) -> list[tuple[int, int]]:
        """Where the `lora_A` of `layers` begin and end in a slot, and where their `lora_B`."""
        places = [self.places[name] for name in layers]
        downs = [(p.down_at, p.down_at + self.rank * p.in_features) for p in places]
        ups = [(p.up_at, p.up_at + self.rank * p.out_features) for p in places]
        return [
            (min(begin for begin, _ in part), max(stop for _, stop in part))
            for part in (downs, ups)
            if part
        ]

    def flatten(
        self,
        layers: Mapping[str, tuple[Tensor, Tensor]],
        channels: Mapping[str, ChannelChange] | None = None,
    ) -> Tensor:
        """`lora_A` [r, in] and `lora_B` [out, r] (scaled) by layer, as one slot's row, then what
        changes the layers' channels. Raises AdapterNotLoadable where such a change is more than the
        slot's numbers can hold."""
        flat = torch.zeros(self._width, dtype=self.dtype)
        for name, (down, up) in layers.items():
            place, rank = self.places[name], len(down)
            flat[place.down_at : place.down_at + down.numel()] = down.flatten()
            block = flat[place.up_at : place.up_at + place.out_features * self.rank]
            block.view(place.out_features, self.rank)[:, :rank] = up
        flat = torch.cat([flat, self._channels.flatten(channels or {}, dtype=self.dtype)])
        if channels and not flat.isfinite().all():
            raise AdapterNotLoadable(message="The adapter's factors of the weights are not finite.")
        return flat

    def weight_of(self, name: str) -> tuple[Tensor, Tensor | None]:
        """A layer's own weight [out, in] and bias, in float32 in main memory."""
        layer: Any = self._modules[name]
        weight = layer.weight.data
        if type(weight) is not Tensor:
            weight = weight.dequantize()  # FP8
        bias = None if layer.bias is None else layer.bias.data.cpu().float()
        return weight.cpu().float().flatten(1), bias

    def channels_in(self, flat: Tensor) -> frozenset[str]:
        """The layers whose channels a flat adapter changes."""
        return self._channels.layers_in(flat[self._width :])

    def layers_in(self, flat: Tensor) -> frozenset[str]:
        """The layers that a flat adapter changes by matrices."""
        bits = flat[self.ups_at : self._width].view(_BITS[flat.element_size()]).numpy()
        starts = [place.up_at - self.ups_at for place in self.places.values()]
        changed = np.logical_or.reduceat(bits, starts)  # the gaps between blocks are zero
        return frozenset(
            name for name, is_changed in zip(self.places, changed, strict=True) if is_changed
        )

    def wear(self, rows: Sequence[Wearing]) -> None:
        """Let row i of the next forwards wear `rows[i]`; cheap while `rows` stay the same."""
        self.gather(rows)
        self.dress()

    def gather(self, rows: Sequence[Wearing]) -> None:
        """Only fetch what `rows` wear: enough for a graph that was captured with as many sheets
        over the same `changed` layers."""
        key = tuple(rows)
        if key == self._rows:
            return
        self._rows = key
        depth = max(len(row) for row in key)
        worn = {slot for row in key for slot, _ in row}
        self.changed = frozenset().union(*(self._layers[slot] for slot in worn))
        self._sheets = [self._sheet(key, number) for number in range(depth)]
        self._channels.gather(key)
        self._is_dressed = False

    @property
    def shape(self) -> Hashable:
        """What a graph of a forward depends on: the most adapters that one row wears, the layers
        that they change, and those whose channels they change."""
        return len(self._sheets), self.changed, self._channels.changed

    def dress(self) -> None:
        """Let the layers find what was gathered."""
        if self._is_dressed:
            return
        for name, worn in self._worn.items():
            if name in self.changed:
                worn[:] = [self._views(sheet, self.places[name]) for sheet in self._sheets]
            elif worn:
                worn.clear()
        for name, channels in self._scaled.items():
            if name in self._channels.changed:
                channels[:] = [self._channels.of(name)]
            elif channels:
                channels.clear()
        self._is_dressed = True

    def _sheet(self, rows: Sequence[Wearing], number: int) -> Tensor:
        """[rows, width]: each row's adapter of that `number`, `lora_B` times its weight, where
        any layer is changed."""
        worn = [row[number] if number < len(row) else (0, 1.0) for row in rows]
        extents = self._extents(self.changed)
        if self._rows_kept:
            sheet = self._keep(number)[: len(rows)]
            for (slot, _), into in zip(worn, sheet, strict=True):
                for begin, stop in extents:
                    into[begin:stop].copy_(self._store[slot, begin:stop])
        else:
            slots = torch.tensor([slot for slot, _ in worn], device=self._store.device)
            sheet = self._store.index_select(0, slots)
        for (_, weight), into in zip(worn, sheet, strict=True):
            if weight != 1 and extents:
                begin, stop = extents[-1]
                into[begin:stop].mul_(weight)
        return sheet

    def _keep(self, number: int) -> Tensor:
        """The place of the sheets of that `number`, as long as these weights live."""
        while number >= len(self._kept):
            self._kept.append(self._store.new_empty(self._rows_kept, self._width))
        return self._kept[number]

    def _views(self, sheet: Tensor, place: LayerPlace) -> tuple[Tensor, Tensor]:
        """`lora_A` [rows, in, rank] and `lora_B` [rows, rank, out] of a layer, by one call each: a
        model has hundreds, and each change of the batch asks for all."""
        rows, rank, begin = len(sheet), self.rank, sheet.storage_offset()
        width, height, stride = place.in_features, place.out_features, self._width
        return (
            sheet.as_strided((rows, width, rank), (stride, 1, width), begin + place.down_at),
            sheet.as_strided((rows, rank, height), (stride, 1, rank), begin + place.up_at),
        )


def _dressable(layer: nn.Module) -> WearingLinear:
    """Make `layer` read what it wears from its own lists."""
    layer.__class__ = WEARING.get(type(layer), type(layer))
    wearing = cast(WearingLinear, layer)
    wearing.worn, wearing.channels = [], []
    return wearing


def _lay_out(layers: Mapping[str, nn.Module], rank: int) -> tuple[dict[str, LayerPlace], int, int]:
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
        name: LayerPlace(width, height, downs[name], take(rank * height))
        for name, (width, height) in sizes.items()
    }
    return places, ups_at, end


def _features(layer: nn.Module) -> tuple[int, int]:
    if isinstance(layer, nn.Conv2d):
        return layer.in_channels, layer.out_channels
    assert isinstance(layer, nn.Linear)
    return layer.in_features, layer.out_features


def can_wear(layer: nn.Module) -> bool:
    """Whether LoraWeights can hold adapters of `layer`: linear, or a convolution of 1×1."""
    if type(layer) not in {*WEARING, *WEARING.values()}:
        return False
    if isinstance(layer, nn.Conv2d):
        return layer.kernel_size == (1, 1) and layer.stride == (1, 1) and layer.groups == 1
    return True
