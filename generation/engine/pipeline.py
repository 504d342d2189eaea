"""One diffusers pipeline, loaded from a folder and used by one thread at a time."""

from __future__ import annotations

import io
import os
from pathlib import Path
from threading import Lock
from time import perf_counter
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import numpy as np
import peft
import torch
import transformers
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from PIL import Image

from generation.engine.adapter_cache import AdapterCache
from generation.engine.jobs import (
    Cancelled,
    ModelNotLoadable,
    NotFinite,
    OnStep,
    Rendered,
    RenderJob,
    ShouldStop,
    StepReport,
)

# At their usual level these libraries write users' prompts into the log.
for _library in (diffusers, transformers):
    _logging: Any = _library.utils.logging
    _logging.set_verbosity_error()
    _logging.disable_progress_bar()

PREVIEWS = 5
PREVIEW_SIDE = 128


class Pipeline:
    """Renders one job at a time: `render` waits for the one before it."""

    def __init__(self, pipe: Any, *, adapters_ceiling: int) -> None:
        self._pipe = pipe
        self._adapters = AdapterCache(pipe, adapters_ceiling)
        self._lock = Lock()

    @classmethod
    def load(
        cls, folder: Path, *, adapters_ceiling: int = 8, threads: int = 1, device: str = "auto"
    ) -> Pipeline:
        """Load a `StableDiffusionPipeline` folder. Raises ModelNotLoadable.

        More than one torch thread on shared cores is slower, not faster: 2 threads on 2 busy
        cores took ten times as long as 1.
        """
        torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        dtype = torch.float16 if device.startswith("cuda") else torch.float32
        pipelines: Any = StableDiffusionPipeline  # diffusers leaves its methods untyped
        try:
            pipe = pipelines.from_pretrained(
                folder,
                dtype=dtype,
                safety_checker=None,
                requires_safety_checker=False,
                local_files_only=True,
            ).to(device)
        except (OSError, ValueError) as error:
            raise ModelNotLoadable from error
        pipe.set_progress_bar_config(disable=True)
        return cls(pipe, adapters_ceiling=adapters_ceiling)

    def render(self, job: RenderJob, *, on_step: OnStep, should_stop: ShouldStop) -> Rendered:
        """Denoise, decode and enlarge to the delivered size.

        Raises Cancelled between steps, NotFinite, AdapterNotLoadable.
        """
        with self._lock, torch.inference_mode():
            watch = StepWatch(self, job, on_step, should_stop)
            started = perf_counter()
            self._adapters.activate(job.adapters)
            adapters_done = perf_counter()
            latents = self._denoise(job, watch)
            denoised = perf_counter()
            pixels = enlarge(self.decode(latents), job.width, job.height)
            decoded = perf_counter()
            dropped = self._dropped_tokens(job.prompt)
        return Rendered(
            pixels=pixels,
            timings={
                "adapters_ms": _ms(adapters_done - started),
                "denoise_ms": _ms(denoised - adapters_done - watch.preview_s),
                "preview_ms": _ms(watch.preview_s),
                "decode_ms": _ms(decoded - denoised),
            },
            dropped_tokens=dropped,
            library_versions=library_versions(),
        )

    def _denoise(self, job: RenderJob, watch: StepWatch) -> torch.Tensor:
        result = self._pipe(
            prompt=job.prompt,
            negative_prompt=job.negative_prompt or None,
            num_inference_steps=job.steps,
            guidance_scale=job.guidance,
            width=job.native_size,
            height=job.native_size,
            # Drawn on the CPU, so that one seed gives one picture on every device.
            generator=torch.Generator("cpu").manual_seed(job.seed),
            callback_on_step_end=watch,
            output_type="latent",
        )
        latents: torch.Tensor = result.images
        if not torch.isfinite(latents).all():
            raise NotFinite
        return latents

    def decode(self, latents: torch.Tensor) -> NDArray[np.uint8]:
        """Latents [1, C, h, w] to uint8 [H, W, 3] RGB. Raises NotFinite."""
        vae = self._pipe.vae
        image = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        if not torch.isfinite(image).all():
            raise NotFinite
        scaled = (image / 2 + 0.5).clamp(0, 1)[0].permute(1, 2, 0).float().cpu().numpy()
        pixels: NDArray[np.uint8] = (scaled * 255).round().astype(np.uint8)
        return pixels

    def _dropped_tokens(self, prompt: str) -> int:
        tokenizer = self._pipe.tokenizer
        tokens = len(tokenizer(prompt, truncation=False, verbose=False).input_ids)
        return max(0, tokens - int(tokenizer.model_max_length))


class StepWatch:
    """diffusers' `callback_on_step_end`: stops, or reports the step with a preview now and then."""

    def __init__(
        self, pipeline: Pipeline, job: RenderJob, on_step: OnStep, should_stop: ShouldStop
    ) -> None:
        self._pipeline = pipeline
        self._total = job.steps
        self._every = max(1, job.steps // PREVIEWS)
        self._on_step = on_step
        self._should_stop = should_stop
        self.preview_s = 0.0

    def __call__(
        self, pipe: Any, index: int, timestep: int, state: dict[str, Any]
    ) -> dict[str, Any]:
        if self._should_stop():
            raise Cancelled
        started = perf_counter()
        step = index + 1
        is_due = step % self._every == 0 and step < self._total
        preview = self._preview(state["latents"]) if is_due else None
        self._on_step(StepReport(min(step, self._total), self._total, preview))
        self.preview_s += perf_counter() - started
        return state

    def _preview(self, latents: torch.Tensor) -> bytes:
        image = Image.fromarray(self._pipeline.decode(latents))
        image.thumbnail((PREVIEW_SIDE, PREVIEW_SIDE))
        out = io.BytesIO()
        image.save(out, "WEBP", quality=60, method=0)
        return out.getvalue()


def enlarge(pixels: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """uint8 [h, w, 3] to [height, width, 3] by Lanczos; the same array when the size fits."""
    if pixels.shape[:2] == (height, width):
        return pixels
    resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.LANCZOS)
    return np.asarray(resized, dtype=np.uint8)


def library_versions() -> dict[str, str]:
    """What an image depends on beside its seed and parameters."""
    modules = (torch, diffusers, transformers, peft)
    return {module.__name__: str(module.__version__) for module in modules}


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)
