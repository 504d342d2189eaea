"""What a model will take of the memory of its hardware, told before it is loaded."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass

from django.conf import settings

from adapters.models import BaseModel
from generation.engine.jobs import Fp8NotPossible, ModelTooLarge
from generation.engine.loading import memory_need, quantization
from generation.engine.loading.loaded_model import Settings
from generation.engine.loading.memory_need import GIB, USABLE, MemoryPlan, gib
from generation.engine.loop.engine import batch_sizes, device_of, dtype_of, is_gpu

logger = logging.getLogger(__name__)
ADAPTER_SLOTS = 8


@dataclass(frozen=True, slots=True)
class MemoryVerdict:
    """`smaller` is the least restricted variant that fits; None when none does or is needed."""

    plan: MemoryPlan
    budget_bytes: int
    smaller: MemoryPlan | None

    @property
    def fits(self) -> bool:
        return self.plan.total <= self.budget_bytes

    @property
    def advice(self) -> str:
        """The settings of the smaller variant."""
        if self.smaller is None:
            return "No smaller variant fits either: it needs a device with more memory."
        wanted = []
        if self.plan.has_graphs and not self.smaller.has_graphs:
            wanted.append("ENGINE_CUDA_GRAPHS=0")
        if self.smaller.is_text_offloaded and not self.plan.is_text_offloaded:
            wanted.append("TEXT_ENCODERS_OFFLOADED=1")
        if self.smaller.is_fp8 and not self.plan.is_fp8:
            wanted.append("ENGINE_WEIGHTS=fp8")
        if self.smaller.rows < self.plan.rows:
            wanted.append(f"BATCH_ROWS={self.smaller.rows}")
        return f"With {' and '.join(wanted)} it fits: {self.smaller}."


def serving(model: BaseModel, *, on_gpu: bool) -> Settings:
    """How this house serves `model` on a device of that kind."""
    return Settings(
        adapter_slots=ADAPTER_SLOTS,
        rank_ceiling=model.rank_ceiling,
        batch_sizes=batch_sizes(on_gpu=on_gpu, most=settings.PROOFSHEET_BATCH_ROWS),
        is_text_offloaded=settings.PROOFSHEET_TEXT_OFFLOADED,
        weights=settings.PROOFSHEET_WEIGHTS,
        compiled_by=settings.PROOFSHEET_COMPILED_BY,
        is_channels_last=settings.PROOFSHEET_CHANNELS_LAST,
        has_fused_attention=settings.PROOFSHEET_FUSED_ATTENTION,
        has_cuda_graphs=on_gpu and settings.PROOFSHEET_CUDA_GRAPHS,
    )


def judge(model: BaseModel, *, on_gpu: bool, budget_bytes: int) -> MemoryVerdict:
    """Whether `model` fits a device with that much memory. Raises ModelNotLoadable, and
    Fp8NotPossible where FP8 weights are asked for."""
    parts, dtype = memory_need.of_folder(model.path), dtype_of(on_gpu=on_gpu)
    wanted, size = serving(model, on_gpu=on_gpu), _largest(model)
    plan = memory_need.plan(parts, settings=wanted, size=size, dtype=dtype)
    smaller = None
    if plan.total > budget_bytes:
        smaller = memory_need.smaller(
            parts, settings=wanted, size=size, dtype=dtype, budget_bytes=budget_bytes
        )
    return MemoryVerdict(plan, budget_bytes, smaller)


def judge_here(model: BaseModel) -> MemoryVerdict:
    """On the device of this process."""
    device = settings.PROOFSHEET_DEVICE
    return judge(model, on_gpu=is_gpu(device), budget_bytes=memory_need.budget_bytes(device))


def judge_tier(model: BaseModel, tier: str) -> MemoryVerdict:
    """On the hardware that a tier is named for: "gpu-24g" is a GPU with 24 GiB."""
    if named := re.fullmatch(r"gpu-(\d+)g", tier):
        return judge(model, on_gpu=True, budget_bytes=int(USABLE * int(named[1]) * GIB))
    return judge(model, on_gpu=False, budget_bytes=memory_need.budget_bytes("cpu"))


def require_room(model: BaseModel) -> None:
    """Raises ModelTooLarge with the figures, and names the variant that would fit; operators read
    both in the log. Raises Fp8NotPossible, whose reason they read there too."""
    try:
        quantization.require(settings.PROOFSHEET_WEIGHTS, device_of(settings.PROOFSHEET_DEVICE))
        verdict = judge_here(model)
    except Fp8NotPossible as error:
        logger.error("%s: %s %s", model.name, error.message, error.advice)
        raise
    if verdict.fits:
        return
    figures = f"{model.name} needs {verdict.plan}; the device has {gib(verdict.budget_bytes)}."
    logger.error("%s %s", figures, verdict.advice)
    raise ModelTooLarge(message=figures, advice=verdict.advice)


def _largest(model: BaseModel) -> tuple[int, int]:
    """Height and width out of the VAE of the largest picture that it delivers."""
    width, height = max(model.sizes, key=lambda size: size[0] * size[1])
    scale = model.native_size / min(width, height)
    return round(height * scale), round(width * scale)
