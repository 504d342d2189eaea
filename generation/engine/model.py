"""One loaded model: diffusers' parts, the family they belong to, and the banks over them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import torch
import transformers
from torch import nn

from generation.engine import adapter_file, schedulers
from generation.engine.adapter_file import AdapterFile
from generation.engine.bank import Bank, can_wear
from generation.engine.families import TARGETS, Family, family_of
from generation.engine.jobs import ModelNotLoadable
from generation.engine.slots import Banks

# At their usual level these libraries write users' prompts into the log.
for _library in (diffusers, transformers):
    _logging: Any = _library.utils.logging
    _logging.set_verbosity_error()
    _logging.disable_progress_bar()

TEXT_TARGETS = r"\.(q_proj|k_proj|v_proj|out_proj|fc1|fc2)$"


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is served. Raises ValueError when the figures contradict each other.

    `batch_sizes` are the numbers of rows a forward may have, ascending; smaller batches are padded
    to the next one. Compiled models want few; on the CPU padding is work, so every size is there.
    `flat_folder` keeps adapters in the slots' own layout from one start to the next.
    """

    batch_sizes: tuple[int, ...] = tuple(range(1, 9))
    adapter_slots: int = 8
    rank_ceiling: int = 64
    targets: str = TARGETS
    adapters_in_ram_bytes: int = 1 << 30
    flat_folder: Path | None = None
    prompts_kept: int = 256
    previews: int = 5
    steps_ceiling: int = 1000
    active_ceiling: int = 64

    def __post_init__(self) -> None:
        if not self.batch_sizes or list(self.batch_sizes) != sorted(set(self.batch_sizes)):
            raise ValueError("batch_sizes must be ascending")
        if self.batch_sizes[0] < 1 or self.batch_sizes[-1] < 2:
            raise ValueError("a batch must hold the two rows of one guided image")
        if self.adapter_slots < 1 or self.rank_ceiling < 1:
            raise ValueError("adapters need a slot and a rank")


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """`network` is the U-Net or transformer; `scheduler` one that can be stepped by row."""

    pipe: Any
    family: Family
    network: Any
    scheduler: Any
    banks: Banks
    settings: Settings = field(default_factory=Settings)

    @property
    def device(self) -> torch.device:
        device: torch.device = self.network.device
        return device

    @property
    def dtype(self) -> torch.dtype:
        dtype: torch.dtype = self.network.dtype
        return dtype

    @property
    def size_multiple(self) -> int:
        """Sides of decoded pictures are multiples of this: the VAE's factor, and packing by 2."""
        return 2 * int(self.pipe.vae_scale_factor)

    def read_adapter(self, path: Path) -> AdapterFile:
        """Raises AdapterNotLoadable."""
        return adapter_file.read(self.pipe, path, self.family.lora_options(self.pipe))

    def is_guided(self, guidance: float) -> bool:
        """Whether an image with this guidance takes a second row, as diffusers decides it."""
        if not self.family.is_guided_by_row or guidance <= 1:
            return False
        return self.network.config.get("time_cond_proj_dim") is None


def load(folder: Path, *, settings: Settings, device: torch.device, dtype: torch.dtype) -> Model:
    """Load a diffusers folder of any family. Raises ModelNotLoadable."""
    pipelines: Any = diffusers.DiffusionPipeline  # diffusers leaves its methods untyped
    try:
        pipe = pipelines.from_pretrained(
            folder, dtype=dtype, use_safetensors=True, local_files_only=True
        ).to(device)
    except (OSError, ValueError) as error:
        raise ModelNotLoadable from error
    return assemble(pipe, settings)


def assemble(pipe: Any, settings: Settings) -> Model:
    """A model of a pipeline that is loaded already. Raises ModelNotLoadable."""
    family = family_of(pipe)
    network = getattr(pipe, family.network)
    banks = {family.network: _bank(network, settings.targets, settings)}
    for name in family.text_encoders:
        banks[name] = _bank(getattr(pipe, name), TEXT_TARGETS, settings)
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.requires_grad_(False).eval()
    return Model(pipe, family, network, schedulers.supported(pipe.scheduler), banks, settings)


def _bank(network: Any, targets: str, settings: Settings) -> Bank:
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if re.search(targets, name) and can_wear(layer)
    }
    return Bank(
        layers,
        slots=settings.adapter_slots,
        rank=settings.rank_ceiling,
        device=network.device,
        dtype=network.dtype,
    )
