"""A model that many threads may ask for images at the same time."""

from __future__ import annotations

import atexit
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from queue import Empty, SimpleQueue

import torch
from torch import Tensor

from generation.engine import model as models
from generation.engine.admission import native_size
from generation.engine.decoder import Preview
from generation.engine.denoiser import Denoiser
from generation.engine.jobs import OnStep, Rendered, RenderJob, ShouldStop, StepReport
from generation.engine.model import Model, Settings
from generation.engine.runner import Runner
from generation.engine.slots import Shelf
from generation.engine.trajectory import Order

POLL_S = 0.1
GPU_BATCH_SIZES = (1, 2, 4, 8, 16)


@cache
def runner_of(device: str) -> Runner:
    """The one denoising thread of a device; the models on it take turns there, step by step."""
    runner = Runner()
    atexit.register(runner.close)
    return runner


class Engine:
    """`submit` returns at once, `render` waits; both are safe from many threads."""

    def __init__(self, model: Model, runner: Runner) -> None:
        self.model = model
        self.runner = runner
        self.denoiser = Denoiser(model)
        self.shelf = Shelf(
            model.read_adapter,
            model.banks,
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
        """Load a diffusers folder. Raises ModelNotLoadable.

        More than one torch thread on shared cores is slower, not faster: 2 threads on 2 busy
        cores took ten times as long as 1.
        """
        torch.set_num_threads(threads)
        if device == "auto":
            device = "cuda" if torch.cuda.is_available() else "cpu"
        is_gpu = device.startswith("cuda")
        settings = settings or (Settings(batch_sizes=GPU_BATCH_SIZES) if is_gpu else Settings())
        model = models.load(
            folder,
            settings=settings,
            device=torch.device(device),
            dtype=torch.bfloat16 if is_gpu else torch.float32,
        )
        return cls(model, runner_of(device))

    def submit(self, job: RenderJob) -> Ticket:
        """Fetch the job's adapters into RAM and queue it. A weight of 0 is left out, not scaled,
        so the image is that of the bare model.

        Raises AdapterNotLoadable, RankTooHigh.
        """
        acting = [use for use in job.adapters if use.weight != 0]
        order = Order(job, tuple((self.shelf.fetch(use), use.weight) for use in acting))
        ticket = Ticket(self, order)
        self.runner.submit(self.denoiser, order)
        return ticket

    def render(self, job: RenderJob, *, on_step: OnStep, should_stop: ShouldStop) -> Rendered:
        """Denoise, decode and enlarge to the delivered size, beside whatever else is on its way.

        Raises Cancelled and DeadlinePassed between steps, NotFinite, AdapterNotLoadable,
        RankTooHigh, StepsOutOfRange, OutOfMemory, TooManyAdapters.
        """
        return self.submit(job).wait(on_step=on_step, should_stop=should_stop)


class Ticket:
    """The caller's end of a submitted job: its future, its steps and previews, and a way out."""

    def __init__(self, engine: Engine, order: Order) -> None:
        self.future: Future[Rendered] = order.future
        self._order = order
        self._engine = engine
        self._size = native_size(order.job, multiple=engine.model.size_multiple)
        self._reports: SimpleQueue[StepReport | None] = SimpleQueue()
        self._step = 0
        order.on_step = self._stepped
        self.future.add_done_callback(lambda _: self._reports.put(None))

    def cancel(self) -> None:
        """Drop the image before its next step."""
        self._order.is_cancelled = True

    def wait(self, *, on_step: OnStep, should_stop: ShouldStop) -> Rendered:
        """Call `on_step` and `should_stop` in the caller's own thread until the image is there."""
        while not self.future.done() or not self._reports.empty():
            if should_stop():
                self.cancel()
            try:
                report = self._reports.get(timeout=POLL_S)
            except Empty:
                continue
            if report is not None:
                on_step(report)
        return self.future.result()

    def _stepped(self, step: int, estimate: Tensor | None) -> None:
        self._step = step
        self._report(None)
        if estimate is not None:
            model, decoder = self._engine.model, self._engine.runner.decoder
            decoder.preview(self._order, Preview(model, estimate, self._size, self._report))

    def _report(self, preview: bytes | None) -> None:
        self._reports.put(StepReport(self._step, self._order.job.steps, preview))
