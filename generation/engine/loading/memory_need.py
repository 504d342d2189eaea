"""What a model will take of a device's memory, found out before it is loaded.

Its parts are built on the meta device from their configurations: they have shapes and no numbers.
One forward of the largest batch is then run through them while every tensor that is alive is
counted. So nothing is measured on a device, and nothing of a large model is ever in memory.
"""

from __future__ import annotations

import json
import os
import weakref
from collections.abc import Callable
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from generation.engine.adapters.lora_weights import LoraWeights
from generation.engine.families.family import FamilySpec, Size
from generation.engine.families.registry import FAMILIES
from generation.engine.jobs import Fp8NotPossible, ModelNotLoadable
from generation.engine.loading import quantization
from generation.engine.loading.loaded_model import Settings, layers_to_wear
from generation.engine.loading.quantization import FP8, QUANTISED

USABLE = 0.95  # of a device: its context, fragments and others' pages take some
GIB = 2**30


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes by what takes them, for batches of at most `rows` rows.

    `text` are the weights of the text encoders, `weights` all others; `slots` the slots of adapters
    with what a batch wears of them; `forward` the most that is alive in a forward of the network,
    and `decoding` in the decoding of one picture, which can go on beside it.
    """

    rows: int
    weights: int
    text: int
    slots: int
    forward: int
    decoding: int
    is_text_offloaded: bool = False
    is_fp8: bool = False
    has_graphs: bool = False

    @property
    def forwards(self) -> int:
        """With graphs, what they keep and what a batch takes that is not captured yet."""
        return 2 * self.forward if self.has_graphs else self.forward

    @property
    def total(self) -> int:
        text = 0 if self.is_text_offloaded else self.text
        return self.weights + text + self.slots + self.forwards + self.decoding

    def __str__(self) -> str:
        text = "in main memory" if self.is_text_offloaded else gib(self.text)
        fp8 = " (FP8)" if self.is_fp8 else ""
        return (
            f"{gib(self.total)}: weights{fp8} {gib(self.weights)}, text encoders {text}, "
            f"adapter slots {gib(self.slots)}, a forward of {self.rows} rows "
            f"{gib(self.forward)}{' and as much for graphs' if self.has_graphs else ''}, "
            f"decoding {gib(self.decoding)}"
        )


@dataclass(frozen=True, slots=True)
class ModelParts:
    """A pipeline's modules on the meta device."""

    family: FamilySpec
    network: Any
    vae: Any
    text_encoders: dict[str, Any]
    others: list[nn.Module]


def plan(parts: ModelParts, *, settings: Settings, size: Size, dtype: torch.dtype) -> MemoryPlan:
    """For pictures of `size` (height and width out of the VAE) in numbers of `dtype`.

    Raises Fp8NotPossible.
    """
    rows, is_fp8 = settings.batch_sizes[-1], settings.weights in QUANTISED
    if is_fp8 and not quantization.is_quantised(parts.network):
        parts = _in_fp8(parts, dtype)
    network, vae = parts.network.to(dtype), parts.vae.to(dtype)
    adapted = {n: parts.text_encoders[n] for n in parts.family.text_encoders}
    adapted = {parts.family.network: network} | adapted
    loras = [_lora(name, module, settings, dtype) for name, module in adapted.items()]
    width = sum(lora.flat_size for lora in loras)
    in_all = (settings.adapter_slots + 1) * width + rows * loras[0].flat_size
    grid = _grid(parts, size)
    latents, conditioning, shared = parts.family.blank_inputs(network.config, grid, rows, dtype)
    timesteps = torch.zeros(rows, device="meta")
    picture = torch.zeros(1, vae.config.latent_channels, *grid, device="meta")
    call = parts.family.call
    used = deepcopy(network)  # for some keep tables from their first forward on
    return MemoryPlan(
        rows=rows,
        weights=_weights([network, vae, *parts.others], dtype),
        text=_weights(list(parts.text_encoders.values()), dtype),
        slots=in_all * dtype.itemsize,
        forward=peak_bytes(lambda: call(used, latents, timesteps, conditioning, shared)),
        decoding=peak_bytes(lambda: vae.decode(picture.to(dtype))),
        is_text_offloaded=settings.is_text_offloaded,
        is_fp8=is_fp8,
        has_graphs=settings.has_cuda_graphs,
    )


def smaller(
    parts: ModelParts, *, settings: Settings, size: Size, dtype: torch.dtype, budget_bytes: int
) -> MemoryPlan | None:
    """The least restricted variant that fits: without graphs and with text encoders in main memory,
    which change no picture, then FP8 weights, then the same with fewer rows."""
    forms = {settings.weights: parts}
    if settings.weights not in QUANTISED:
        with suppress(Fp8NotPossible):
            forms[FP8] = _in_fp8(parts, dtype)
    offloaded = sorted({settings.is_text_offloaded, True})
    graphs = sorted({settings.has_cuda_graphs, False}, reverse=True)
    for largest in [n for n in reversed(settings.batch_sizes) if n >= 2]:
        kept = tuple(n for n in settings.batch_sizes if n <= largest)
        for weights, form in forms.items():
            wanted = replace(settings, batch_sizes=kept, weights=weights)
            measured = plan(form, settings=wanted, size=size, dtype=dtype)
            for is_offloaded, has_graphs in product(offloaded, graphs):
                found = replace(measured, is_text_offloaded=is_offloaded, has_graphs=has_graphs)
                if found.total <= budget_bytes:
                    return found
    return None


def budget_bytes(device: str) -> int:
    """What may be taken of the device that "auto", "cuda…" or "cpu" names; of main memory, what
    this process's control group is allowed."""
    if device != "cpu" and torch.cuda.is_available():
        name = "cuda" if device == "auto" else device
        return int(USABLE * torch.cuda.get_device_properties(name).total_memory)
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    with suppress(OSError, ValueError):
        total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
    return int(USABLE * total)


def of_folder(folder: Path) -> ModelParts:
    """The parts of a diffusers folder, by its configurations. Raises ModelNotLoadable."""
    try:
        index = json.loads((folder / "model_index.json").read_text())
        family = next(f for f in FAMILIES if index["_class_name"] in f.pipelines)
        built = {
            name: _build(said[0], said[1], folder / name)
            for name, said in index.items()
            if isinstance(said, list) and said[0] and (folder / name / "config.json").is_file()
        }
    except (OSError, ValueError, KeyError, StopIteration) as error:
        raise ModelNotLoadable from error
    text = {name: part for name, part in built.items() if name.startswith("text_encoder")}
    known = {family.network, "vae", *text}
    others = [part for name, part in built.items() if name not in known]
    return ModelParts(family, built[family.network], built["vae"], text, others)


def _build(library: str, class_name: str, folder: Path) -> Any:
    with torch.device("meta"):
        if library == "transformers":
            config = transformers.AutoConfig.from_pretrained(folder, local_files_only=True)
            return getattr(transformers, class_name)(config).eval()
        kind = getattr(diffusers, class_name)
        return kind.from_config(kind.load_config(folder)).eval()


def _in_fp8(parts: ModelParts, dtype: torch.dtype) -> ModelParts:
    """With a quantised copy of the network: both kinds of FP8 keep the same numbers. Raises
    Fp8NotPossible."""
    network = deepcopy(parts.network.to(dtype))
    quantization.quantise(network, torch.device("meta"))
    return replace(parts, network=network)


def _weights(modules: list[nn.Module], dtype: torch.dtype) -> int:
    return sum(
        quantization.weight_bytes(weight, dtype)
        for module in modules
        for weight in module.parameters()
    )


def _lora(component: str, module: Any, settings: Settings, dtype: torch.dtype) -> LoraWeights:
    return LoraWeights(
        layers_to_wear(component, module),
        slots=settings.adapter_slots,
        rank=settings.rank_ceiling,
        device=torch.device("meta"),
        dtype=dtype,
    )


def _grid(parts: ModelParts, size: Size) -> tuple[int, int]:
    levels = len(parts.vae.config.get("block_out_channels") or ())
    tiny = parts.vae.config.get("encoder_block_out_channels")
    factor = 2 ** (len(tiny or range(levels)) - 1)
    return size[0] // factor, size[1] // factor


def peak_bytes(run: Callable[[], object]) -> int:
    """The most bytes of tensors that were alive at once while `run` ran, beyond those before."""
    meter = _Meter()
    with torch.inference_mode(), meter:
        run()
    return meter.peak


class _Meter(TorchDispatchMode):
    """Counts the storages of what operators return for as long as a tensor of theirs lives."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call] # torch leaves it so
        self._alive: dict[int, list[int]] = {}  # by storage: bytes, tensors
        self._now = 0
        self.peak = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = {_storage(t) for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)}
        made = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(made):
            # A view of weights is no new memory.
            if isinstance(tensor, Tensor) and (
                _storage(tensor) in self._alive or _storage(tensor) not in given
            ):
                self._note(tensor)
        return made

    def _note(self, tensor: Tensor) -> None:
        key = _storage(tensor)
        if key not in self._alive:
            self._alive[key] = [tensor.untyped_storage().nbytes(), 0]
            self._now += self._alive[key][0]
            self.peak = max(self.peak, self._now)
        self._alive[key][1] += 1
        weakref.finalize(tensor, self._gone, key)

    def _gone(self, key: int) -> None:
        entry = self._alive[key]
        entry[1] -= 1
        if not entry[1]:
            self._now -= entry[0]
            del self._alive[key]


def _storage(tensor: Tensor) -> int:
    address: int = tensor.untyped_storage()._cdata
    return address


def gib(count: int) -> str:
    """Bytes for people: in GiB, or in MiB below a tenth of one."""
    return f"{count / GIB:.1f} GiB" if count >= GIB / 10 else f"{count / 2**20:.0f} MiB"
