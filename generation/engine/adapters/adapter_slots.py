"""Which adapter is in which slot, and how it gets there: file → flat RAM → slot by one copy.

Disk and RAM belong to the callers' threads (`AdapterCache`), slots to the engine's (`Slots`).
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import torch
from torch import Tensor

from generation.engine.adapters.lora_file import AdapterFile, changes_of
from generation.engine.adapters.lora_weights import LoraWeights, Wearing
from generation.engine.jobs import AdapterNotLoadable, AdapterUse

Loras = dict[str, LoraWeights]  # by component: the denoising network first, then the text encoders


@dataclass(frozen=True, slots=True)
class FlatAdapter:
    """One adapter, laid out as the slots are: by component a part, the layers it changes by
    matrices, and those whose channels it changes."""

    name: str
    parts: tuple[Tensor, ...]
    layers: tuple[frozenset[str], ...]
    channels: tuple[frozenset[str], ...] = ()

    @property
    def is_read_by_text(self) -> bool:
        return any(self.layers[1:]) or any(self.channels[1:])

    @property
    def size_bytes(self) -> int:
        return sum(part.nbytes for part in self.parts)


class AdapterCache:
    """Adapters in RAM, least recently used first to go, and on disk as flat files."""

    def __init__(
        self,
        read: Callable[[Path], AdapterFile],
        loras: Loras,
        *,
        folder: Path | None,
        ceiling_bytes: int,
        is_pinned: bool,
    ) -> None:
        self._read = read
        self._loras = loras
        self._folder = folder
        self._ceiling_bytes = ceiling_bytes
        self._is_pinned = is_pinned
        self._flats: OrderedDict[str, FlatAdapter] = OrderedDict()
        self._lock = Lock()
        self._layout = "-".join(lora.layout_digest[:12] for lora in loras.values())

    def fetch(self, use: AdapterUse) -> FlatAdapter:
        """From RAM, else from its flat file, else from the LoRA file.

        Safe from many threads. Raises AdapterNotLoadable, RankTooHigh.
        """
        with self._lock:
            if use.name in self._flats:
                self._flats.move_to_end(use.name)
                return self._flats[use.name]
            adapter = self._load(use)
            self._flats[use.name] = adapter
            self._evict()
            return adapter

    def _load(self, use: AdapterUse) -> FlatAdapter:
        flat = self._read_flat(use.name)
        if flat is None:
            flat = self._flatten(use.path)
            self._write_flat(use.name, flat)
        if self._is_pinned:
            flat = flat.pin_memory()
        loras = list(self._loras.values())
        parts = flat.split([lora.flat_size for lora in loras])
        pairs = list(zip(loras, parts, strict=True))
        layers = tuple(lora.layers_in(part) for lora, part in pairs)
        channels = tuple(lora.channels_in(part) for lora, part in pairs)
        return FlatAdapter(use.name, parts, layers, channels)

    def _flatten(self, path: Path) -> Tensor:
        file = self._read(path)
        changes = {
            component: changes_of(component, lora, file) for component, lora in self._loras.items()
        }
        # A file whose names match nothing would otherwise load and do nothing.
        if sum(change.tensors for change in changes.values()) != file.count:
            raise AdapterNotLoadable(message="The adapter has weights for no part of the model.")
        return torch.cat(
            [
                lora.flatten(changes[name].pairs, changes[name].channels)
                for name, lora in self._loras.items()
            ]
        )

    def _flat_path(self, name: str) -> Path | None:
        return self._folder / f"{name}-{self._layout}.flat" if self._folder else None

    def _read_flat(self, name: str) -> Tensor | None:
        path = self._flat_path(name)
        size = sum(lora.flat_size for lora in self._loras.values())
        dtype = next(iter(self._loras.values())).dtype
        if path is None or not path.exists() or path.stat().st_size != size * dtype.itemsize:
            return None
        return torch.from_file(str(path), shared=False, size=size, dtype=dtype)

    def _write_flat(self, name: str, flat: Tensor) -> None:
        path = self._flat_path(name)
        if path is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(flat.view(torch.uint8).numpy().tobytes())
        part.replace(path)

    def _evict(self) -> None:
        held = sum(adapter.size_bytes for adapter in self._flats.values())
        while held > self._ceiling_bytes and len(self._flats) > 1:
            _, oldest = self._flats.popitem(last=False)
            held -= oldest.size_bytes


class Slots:
    """`count` slots across all components; an adapter in use is pinned, the others make room."""

    def __init__(self, loras: Loras, count: int) -> None:
        self._loras = loras
        self._free = list(range(count, 0, -1))
        self._slots: OrderedDict[str, int] = OrderedDict()
        self._pins: Counter[str] = Counter()
        self.count = count
        self.hits = 0
        self.misses = 0
        self.resident: frozenset[str] = frozenset()  # replaced, never changed: others read it

    def acquire(self, adapters: Sequence[tuple[FlatAdapter, float]]) -> Wearing | None:
        """Pin the adapters and say what their row wears; None while all slots are pinned."""
        names = {adapter.name for adapter, _ in adapters}
        resident = names & self._slots.keys()
        evictable = [n for n in self._slots if not self._pins[n] and n not in names]
        if len(names - resident) > len(self._free) + len(evictable):
            return None
        for adapter, _ in adapters:
            self._pins[adapter.name] += 1
        return tuple((self._slot_of(adapter), weight) for adapter, weight in adapters)

    def release(self, adapters: Sequence[tuple[FlatAdapter, float]]) -> None:
        for adapter, _ in adapters:
            self._pins[adapter.name] -= 1
            if not self._pins[adapter.name]:
                del self._pins[adapter.name]

    def _slot_of(self, adapter: FlatAdapter) -> int:
        if adapter.name in self._slots:
            self.hits += 1
            self._slots.move_to_end(adapter.name)
            return self._slots[adapter.name]
        self.misses += 1
        slot = self._free.pop() if self._free else self._evict()
        self._install(slot, adapter)
        self._slots[adapter.name] = slot
        self.resident = frozenset(self._slots)
        return slot

    def _evict(self) -> int:
        name = next(name for name in self._slots if not self._pins[name])
        return self._slots.pop(name)

    def _install(self, slot: int, adapter: FlatAdapter) -> None:
        channels = adapter.channels or (frozenset[str](),) * len(adapter.parts)
        parts = zip(self._loras.values(), adapter.parts, adapter.layers, channels, strict=True)
        for lora, part, layers, scaled in parts:
            lora.install(slot, part, layers, scaled)
