"""One image on its way from noise to a picture."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from time import monotonic

import torch
from torch import Tensor

from generation.engine.adapters.adapter_slots import FlatAdapter
from generation.engine.adapters.lora_weights import Wearing
from generation.engine.families.family import TEXT, Rows, Size
from generation.engine.jobs import Cancelled, DeadlinePassed, Rendered, RenderJob
from generation.engine.loop.canvas import Canvas
from generation.engine.loop.inpainting import Painting
from generation.engine.schedules.row_schedules import Schedule

INTERACTIVE_STEP_S, STEP_S = 0.02, 0.2


@dataclass(slots=True, eq=False)
class Order:
    """A job as it was submitted. Its caller reads `future`, and sets `is_cancelled` to give up.

    `picture` is the one to start from, float32 [1, 3, H, W] in [-1, 1] of the size that the VAE
    makes; a `canvas` is what it is painted on in part. `on_step(order, step, total, estimate)` gets
    the estimated final latents when a preview is due, else None; it must not lead back here.
    """

    job: RenderJob
    adapters: tuple[tuple[FlatAdapter, float], ...] = ()
    picture: Tensor | None = None
    canvas: Canvas | None = None
    on_step: Callable[[Order, int, int, Tensor | None], None] | None = None
    future: Future[Rendered] = field(default_factory=Future)
    submitted_at: float = field(default_factory=monotonic)
    is_cancelled: bool = False

    @property
    def due_at(self) -> float:
        """The earliest is served first: a job that asks for little work is due soon."""
        pace = INTERACTIVE_STEP_S if self.job.is_interactive else STEP_S
        return self.submitted_at + pace * self.job.steps

    def objection(self) -> Exception | None:
        """Why this job should go no further, if so."""
        if self.is_cancelled:
            return Cancelled()
        timeout = self.job.timeout_s
        if timeout is not None and monotonic() > self.submitted_at + timeout:
            return DeadlinePassed()
        return None


@dataclass(slots=True, eq=False)
class Trajectory:
    """`latents` and `past` are float32 [1, …]; `rows` holds the conditioning of the prompt and,
    where guidance takes a second row, of the negative prompt. `step` counts the steps done.

    `device_s` is this image's share of the forwards that it took part in, by rows.
    """

    order: Order
    size: Size
    schedule: Schedule
    generator: torch.Generator
    latents: Tensor
    past: Tensor
    rows: tuple[Rows, ...]
    wearing: Wearing
    dropped_tokens: int
    dropped_negative_tokens: int
    started_at: float
    prepare_s: float
    painting: Painting | None = None
    device_s: float = 0.0
    step: int = 0
    error: Exception | None = None

    @property
    def bucket(self) -> tuple[Size, int]:
        """What the rows of one forward have in common: their size, and the length of their text."""
        return self.size, self.rows[0][TEXT].shape[1]

    @property
    def is_done(self) -> bool:
        return self.step >= len(self.schedule)

    def noise(self) -> Tensor:
        """What the scheduler adds after this step, drawn as diffusers draws it."""
        if not self.schedule.needs_noise(self.step):
            return torch.zeros_like(self.latents)
        drawn = torch.randn(self.latents.shape, generator=self.generator)
        return drawn.to(self.latents.device)
