"""One loaded model: diffusers' parts, their family, and the LoRA weights over them."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import torch
import transformers
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from adapters.formats import adapted_layers
from generation.engine.adapters import lora_file
from generation.engine.adapters.adapter_slots import Loras
from generation.engine.adapters.lora_file import AdapterFile
from generation.engine.adapters.lora_weights import LoraWeights, Wearing, can_wear
from generation.engine.families.family import FamilySpec, Rows
from generation.engine.families.prompt_chunks import ChunkReader
from generation.engine.families.registry import family_of
from generation.engine.jobs import ModelNotLoadable
from generation.engine.loading import group_norms, quantization
from generation.engine.loading.cuda_graphs import Graphs
from generation.engine.schedules import row_schedules

# At their usual level these libraries write users' prompts into the log.
for _library in (diffusers, transformers):
    _logging: Any = _library.utils.logging
    _logging.set_verbosity_error()
    _logging.disable_progress_bar()

RECOMPILES = 64  # of a block: its widths, and how many adapters a row wears in which of its layers


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is served. Raises ValueError when the figures contradict each other.

    `batch_sizes` are the numbers of rows a forward may have, ascending; smaller batches are padded
    to the next one. Compiled models want few; on the CPU padding is work, so every size is there.
    `flat_folder` keeps adapters in the slots' own layout from one start to the next.
    `is_text_offloaded` leaves the text encoders in main memory, where the CPU reads the prompts.
    `weights` are served "as_saved", or the network's linears in "fp8" or "fp8_dynamic" (ADR 54).
    `compiled_by` names the backend that compiles the network's repeated blocks, "" for none; the
    gains of it, of `is_channels_last`, of `has_fused_attention` and of `has_cuda_graphs`, which
    only a GPU has, are in ADR 50.
    """

    batch_sizes: tuple[int, ...] = tuple(range(1, 9))
    adapter_slots: int = 8
    rank_ceiling: int = 64
    adapters_in_ram_bytes: int = 1 << 30
    flat_folder: Path | None = None
    prompts_kept: int = 256
    previews: int = 5
    steps_ceiling: int = 1000
    active_ceiling: int = 64
    is_text_offloaded: bool = False
    weights: str = quantization.AS_SAVED
    compiled_by: str = ""
    is_channels_last: bool = False
    has_fused_attention: bool = True
    has_cuda_graphs: bool = False

    def __post_init__(self) -> None:
        if not self.batch_sizes or list(self.batch_sizes) != sorted(set(self.batch_sizes)):
            raise ValueError("batch_sizes must be ascending")
        if self.batch_sizes[0] < 1 or self.batch_sizes[-1] < 2:
            raise ValueError("a batch must hold the two rows of one guided image")
        if self.adapter_slots < 1 or self.rank_ceiling < 1:
            raise ValueError("adapters need a slot and a rank")
        if self.weights not in quantization.WEIGHTS:
            raise ValueError(f"weights must be one of {', '.join(quantization.WEIGHTS)}")


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """`network` is the U-Net or transformer; `scheduler` one that can be stepped by row.

    `device` and `dtype` are the network's, kept: diffusers walks through every module to tell.
    """

    pipe: Any
    family: FamilySpec
    network: Any
    scheduler: Any
    loras: Loras
    device: torch.device
    dtype: torch.dtype
    settings: Settings = field(default_factory=Settings)
    graphs: Graphs | None = None

    @property
    def size_multiple(self) -> int:
        """Sides of decoded pictures are multiples of this: the VAE's factor, and packing by 2."""
        return 2 * int(self.pipe.vae_scale_factor)

    @property
    def reader(self) -> ChunkReader:
        """How it reads a prompt."""
        return self.family.reader(self.pipe)

    def read_adapter(self, path: Path) -> AdapterFile:
        """Raises AdapterNotLoadable."""
        return lora_file.read(self.pipe, path, self.family.lora_options(self.pipe))

    def predict(
        self,
        latents: Tensor,
        timesteps: Tensor,
        rows: Rows,
        shared: Rows,
        wearing: Sequence[Wearing],
    ) -> Tensor:
        """One forward of the network, its row i wearing `wearing[i]`."""
        lora = self.loras[self.family.network]
        lora.gather(wearing)
        given = latents, timesteps, rows, shared
        with self.attention():
            if self.graphs is None:
                return self._forward(*given)
            return self.graphs(self._forward, *given, worn=lora.shape)

    def _forward(self, latents: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
        self.loras[self.family.network].dress()
        return self.family.call(self.network, latents, timesteps, rows, shared)

    def attention(self) -> AbstractContextManager[None]:
        """Around a forward: torch's fused attention, or the plain one."""
        return nullcontext() if self.settings.has_fused_attention else sdpa_kernel(SDPBackend.MATH)

    def is_guided(self, guidance: float) -> bool:
        """Whether an image with this guidance takes a second row, as diffusers decides it."""
        return guidance > self.family.guided_above(self.pipe)


def load(
    folder: Path, *, settings: Settings, device: torch.device, dtype: torch.dtype
) -> LoadedModel:
    """Load a diffusers folder of any family. Raises ModelNotLoadable, Fp8NotPossible."""
    pipelines: Any = diffusers.DiffusionPipeline  # diffusers leaves its methods untyped
    try:
        pipe = pipelines.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True
        )
    except (OSError, ValueError) as error:
        raise ModelNotLoadable from error
    if settings.weights in quantization.QUANTISED:
        quantization.quantise(getattr(pipe, family_of(pipe).network), device, settings.weights)
    for name, part in pipe.components.items():
        is_left = settings.is_text_offloaded and name.startswith("text_encoder")
        if isinstance(part, nn.Module) and not is_left:
            part.to(device)
    return assemble(pipe, settings)


def assemble(pipe: Any, settings: Settings) -> LoadedModel:
    """A model of a pipeline that is loaded already. Raises ModelNotLoadable, Fp8NotPossible."""
    family = family_of(pipe)
    network = getattr(pipe, family.network)
    if settings.weights in quantization.QUANTISED and not quantization.is_quantised(network):
        quantization.quantise(network, network.device, settings.weights)
    has_graphs = settings.has_cuda_graphs and network.device.type == "cuda"
    rows_kept = settings.batch_sizes[-1] if has_graphs else 0
    loras = {family.network: _lora(family.network, network, settings, rows_kept=rows_kept)}
    for name in family.text_encoders:
        loras[name] = _lora(name, getattr(pipe, name), settings)
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False).eval()
    scheduler = row_schedules.supported(pipe.scheduler)
    _tune(network, pipe.vae, settings)
    return LoadedModel(
        pipe,
        family,
        network,
        scheduler,
        loras,
        network.device,
        network.dtype,
        settings,
        Graphs() if has_graphs else None,
    )


def _tune(network: Any, vae: Any, settings: Settings) -> None:
    if network.device.type == "cuda":
        group_norms.widen(vae)
    if settings.is_channels_last:
        for part in (network, vae):
            # Transformers have no images inside, and torch leaves their weights as they are.
            part.to(memory_format=torch.channels_last)
    if settings.compiled_by:
        torch._dynamo.config.recompile_limit = RECOMPILES
        network.compile_repeated_blocks(backend=settings.compiled_by, dynamic=True)


def layers_to_wear(component: str, module: Any) -> dict[str, nn.Module]:
    """The layers of a component that take adapters, in the order in which they lie in a slot."""
    wearable = {name: layer for name, layer in module.named_modules() if can_wear(layer)}
    return {
        name: layer
        for pattern in adapted_layers.patterns_of(component)
        for name, layer in wearable.items()
        if re.search(pattern, name)
    }


def _lora(component: str, network: Any, settings: Settings, *, rows_kept: int = 0) -> LoraWeights:
    return LoraWeights(
        layers_to_wear(component, network),
        slots=settings.adapter_slots,
        rank=settings.rank_ceiling,
        device=network.device,
        dtype=network.dtype,
        rows_kept=rows_kept,
    )
