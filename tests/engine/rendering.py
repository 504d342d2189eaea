"""Ways to ask for an image: from the engine's denoiser, and from diffusers' own pipeline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
from PIL import Image
from torch import Tensor

from generation.engine.adapters.adapter_slots import AdapterCache
from generation.engine.jobs import RenderJob
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.engine import order_of
from generation.engine.loop.trajectory import Order, Trajectory

SIDE = 32


def pipeline(folder: Path) -> Any:
    pipe: Any = diffusers.DiffusionPipeline
    loaded = pipe.from_pretrained(folder, dtype=torch.float32, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def job(prompt: str = "a red kite", **changes: Any) -> RenderJob:
    defaults: dict[str, Any] = {
        "negative_prompt": "",
        "steps": 4,
        "guidance": 5.0,
        "seed": 7,
        "width": SIDE,
        "height": SIDE,
        "native_size": SIDE,
    }
    return RenderJob(prompt=prompt, **(defaults | changes))


def order(model: LoadedModel, request: RenderJob) -> Order:
    shelf = AdapterCache(
        model.read_adapter, model.loras, folder=None, ceiling_bytes=1 << 28, is_pinned=False
    )
    return order_of(request, model, shelf)


def denoise(model: LoadedModel, requests: list[RenderJob]) -> list[Trajectory]:
    """All requests in one denoiser, from noise to final latents, in the order given."""
    denoiser = Denoiser(model)
    orders = [order(model, request) for request in requests]
    for item in orders:
        denoiser.enqueue(item)
    done: dict[Order, Trajectory] = {}
    with torch.inference_mode():
        while not denoiser.is_idle:
            done |= {trajectory.order: trajectory for trajectory in denoiser.step()}
    return [done[item] for item in orders]


def by_diffusers(folder: Path, request: RenderJob, *, output: str = "latent") -> Any:
    """The same picture by diffusers' own pipeline and `load_lora_weights`."""
    pipe = pipeline(folder)
    is_flux = type(pipe).__name__ == "FluxPipeline"
    options: dict[str, Any] = (
        {} if is_flux else {"negative_prompt": request.negative_prompt or None}
    )
    if request.guidance_rescale:
        options["guidance_rescale"] = request.guidance_rescale
    if request.source:
        kinds = diffusers.AutoPipelineForImage2Image, diffusers.AutoPipelineForInpainting
        pipe = kinds[request.source.inpainting is not None].from_pipe(pipe)
        pipe.set_progress_bar_config(disable=True)
        options["image"] = Image.fromarray(request.source.pixels)
        options["strength"] = request.source.strength
        if request.source.inpainting:
            options["mask_image"] = Image.fromarray(request.source.inpainting.mask)
    if not request.source or hasattr(pipe, "transformer") or request.source.inpainting:
        options |= {"width": request.native_size, "height": request.native_size}
    for use in request.adapters:
        pipe.load_lora_weights(
            str(use.path.parent), weight_name=use.path.name, adapter_name=use.name
        )
    if request.adapters:
        names, weights = [u.name for u in request.adapters], [u.weight for u in request.adapters]
        pipe.set_adapters(names, weights)
    return pipe(
        prompt=request.prompt,
        num_inference_steps=request.steps,
        guidance_scale=request.guidance,
        generator=torch.Generator().manual_seed(request.seed),
        output_type=output,
        **options,
    ).images


def assert_same(latents: Tensor, expected: Tensor, *, first: float = 0.0) -> None:
    """As near as float32 rounds: 2e-5 of the largest latent. Euler's of a random network are ten
    times as large as flow matching's, and so is their rounding. Where the `first` latents were as
    large as that, a unit in the last place of theirs: diffusers takes them off by a difference."""
    rounding = max(2e-5 * float(expected.abs().max()), torch.finfo(torch.float32).eps * first)
    torch.testing.assert_close(latents, expected, atol=rounding, rtol=0)
