"""A model that many threads may ask for images at the same time."""

from __future__ import annotations

import atexit
from collections.abc import Iterable
from concurrent.futures import Future
from contextlib import suppress
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue

import torch
from torch import Tensor

from generation.engine.adapters.adapter_slots import AdapterCache
from generation.engine.jobs import (
    AdapterNotLoadable,
    AdapterUse,
    OnStep,
    Rendered,
    RenderJob,
    ShouldStop,
    StepReport,
)
from generation.engine.loading import loaded_model as models
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loop import pixels
from generation.engine.loop.canvas import Canvas
from generation.engine.loop.decoder import PreviewLatents
from generation.engine.loop.denoiser import Denoiser
from generation.engine.loop.preparation import native_size
from generation.engine.loop.runner import Runner
from generation.engine.loop.trajectory import Order

POLL_S = 0.1
GPU_BATCH_SIZES = (1, 2, 4, 8, 16)


def is_gpu(device: str) -> bool:
    """Whether "auto", "cpu" or "cuda…" names a GPU here."""
    return torch.cuda.is_available() if device == "auto" else device.startswith("cuda")


def device_of(device: str) -> torch.device:
    """Which device "auto", "cpu" or "cuda…" names here."""
    named = "cuda" if is_gpu(device) else "cpu"
    return torch.device(named if device == "auto" else device)


def dtype_of(*, on_gpu: bool) -> torch.dtype:
    """The numbers that a model is served in."""
    return torch.bfloat16 if on_gpu else torch.float32


def batch_sizes(*, on_gpu: bool, most: int = 0) -> tuple[int, ...]:
    """Rows that a forward may have, at most `most` where it is given: few sizes on a GPU."""
    usual = GPU_BATCH_SIZES if on_gpu else Settings().batch_sizes
    return tuple(size for size in usual if not most or size <= max(2, most))


@cache
def runner_of(device: str, threads: int) -> Runner:
    """The one denoising thread of a device; the models on it take turns there, step by step."""
    runner = Runner(threads)
    atexit.register(runner.close)
    return runner


class Engine:
    """`submit` returns at once, `render` waits; both are safe from many threads."""

    def __init__(self, model: LoadedModel, runner: Runner) -> None:
        self.model = model
        self.runner = runner
        self.denoiser = Denoiser(model)
        self.shelf = AdapterCache(
            model.read_adapter,
            model.loras,
            folder=model.settings.flat_folder,
            ceiling_bytes=model.settings.adapters_in_ram_bytes,
            is_pinned=model.device.type == "cuda",
        )

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        settings: Settings | None = None,
        threads: int = 1,
        device: str = "auto",
    ) -> Engine:
        """Load a diffusers folder; on the CPU, denoise with `threads` cores.

        Raises ModelNotLoadable.

        More threads than idle cores are slower, not faster: 2 threads on 2 busy cores took ten
        times as long as 1. A GPU pads batches to few sizes.
        """
        on_gpu, named = is_gpu(device), device_of(device)
        settings = settings or Settings(batch_sizes=batch_sizes(on_gpu=on_gpu))
        model = models.load(folder, settings=settings, device=named, dtype=dtype_of(on_gpu=on_gpu))
        return cls(model, runner_of(str(named), threads))

    @property
    def resident_adapters(self) -> frozenset[str]:
        """Names of the adapters that are in a slot. Safe from many threads."""
        return self.denoiser.admission.slots.resident

    def vitals(self) -> dict[str, int]:
        """Counts since it was loaded; `rows` over `forwards` is the mean batch."""
        slots = self.denoiser.admission.slots
        return {
            "adapter_slots": slots.count,
            "adapters_resident": len(slots.resident),
            "slot_hits": slots.hits,
            "slot_misses": slots.misses,
            "forwards": self.denoiser.forwards,
            "rows": self.denoiser.rows,
        }

    def submit(self, job: RenderJob) -> RenderHandle:
        """Fetch the job's adapters into RAM and queue it. A weight of 0 is left out, not scaled,
        so the image is that of the bare model.

        Raises AdapterNotLoadable, RankTooHigh.
        """
        order = order_of(job, self.model, self.shelf)
        handle = RenderHandle(self, order)
        self.runner.submit(self.denoiser, order)
        return handle

    def prefetch(self, uses: Iterable[AdapterUse]) -> None:
        """Fetch adapters of jobs that still wait into RAM, beside whatever is denoised. One that
        cannot be loaded is told when its job is submitted."""
        for use in uses:
            with suppress(AdapterNotLoadable):
                self.shelf.fetch(use)

    def render(self, job: RenderJob, *, on_step: OnStep, should_stop: ShouldStop) -> Rendered:
        """Denoise, decode and enlarge to the delivered size, beside whatever else is on its way.

        Raises Cancelled and DeadlinePassed between steps, NotFinite, AdapterNotLoadable,
        RankTooHigh, StepsNotSupported, OutOfMemory, MoreAdaptersThanSlots.
        """
        return self.submit(job).wait(on_step=on_step, should_stop=should_stop)


def order_of(job: RenderJob, model: LoadedModel, shelf: AdapterCache) -> Order:
    """What can be done before the engine's own thread is asked: adapters in RAM, the picture that
    is started from in its size. Raises AdapterNotLoadable, RankTooHigh."""
    acting = [use for use in job.adapters if use.weight != 0]
    size = native_size(job, multiple=model.size_multiple)
    order = Order(job, tuple((shelf.fetch(use), use.weight) for use in acting))
    if (source := job.source) is not None and (inpainting := source.inpainting) is not None:
        order.canvas = Canvas.of(job, source, inpainting)
        order.picture = order.canvas.picture(size)
    elif source is not None:
        order.picture = pixels.fitted(source.pixels, size)
    return order


class RenderHandle:
    """The caller's end of a submitted job: its future, its steps and previews, and a way out.

    `step` of `total` steps are done.
    """

    def __init__(self, engine: Engine, order: Order) -> None:
        self.future: Future[Rendered] = order.future
        self._order = order
        self._taken = taken = _StepsTaken(engine, order.job)
        order.on_step = taken.note
        self.future.add_done_callback(lambda _: taken.reports.put(None))

    @property
    def step(self) -> int:
        return self._taken.step

    @property
    def total(self) -> int:
        return self._taken.total

    def cancel(self) -> None:
        """Drop the image before its next step."""
        self._order.is_cancelled = True

    def wait(self, *, on_step: OnStep, should_stop: ShouldStop) -> Rendered:
        """Call `on_step` and `should_stop` in the caller's own thread until the image is there."""
        reports = self._taken.reports
        while not self.future.done() or not reports.empty():
            if should_stop():
                self.cancel()
            try:
                report = reports.get(timeout=POLL_S)
            except Empty:
                continue
            if report is not None:
                on_step(report)
        return self.future.result()


class _StepsTaken:
    """What the engine's threads tell of an order, for its caller's thread.

    It knows neither order nor handle: a picture that is part of a ring of references is not freed
    before the garbage collector comes by, and to a worker that comes rarely (ADR 60).
    """

    def __init__(self, engine: Engine, job: RenderJob) -> None:
        self._engine = engine
        self._size = native_size(job, multiple=engine.model.size_multiple)
        self.reports: SimpleQueue[StepReport | None] = SimpleQueue()
        self.step, self.total = 0, job.steps

    def note(self, order: Order, step: int, total: int, estimate: Tensor | None) -> None:
        self.step, self.total = step, total
        self._report(None)
        if estimate is not None:
            model, decoder = self._engine.model, self._engine.runner.decoder
            decoder.preview(order, PreviewLatents(model, estimate, self._size, self._report))

    def _report(self, preview: bytes | None) -> None:
        self.reports.put(StepReport(self.step, self.total, preview))
