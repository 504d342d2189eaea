"""From a submitted order to a trajectory that can step, or to the reason why not."""

from __future__ import annotations

from time import monotonic

import torch

from generation.engine.adapters.adapter_slots import Slots
from generation.engine.adapters.lora_weights import Wearing
from generation.engine.families import padded_text
from generation.engine.families.family import Size
from generation.engine.jobs import (
    MoreAdaptersThanSlots,
    OutOfMemory,
    RenderJob,
    StepsNotSupported,
    Unchanged,
)
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.inpainting import Painting
from generation.engine.loop.prompt_embeddings import Prompts, TextKey
from generation.engine.loop.trajectory import Order, Trajectory
from generation.engine.schedules import row_schedules
from generation.engine.schedules.row_schedules import Schedule

PLANS_KEPT = 64


def named(error: Exception) -> Exception:
    """What its owner is told of a failure."""
    return OutOfMemory() if isinstance(error, torch.OutOfMemoryError) else error


class Admission:
    """Encodes, draws the noise, finds the slots. Belongs to the engine's thread."""

    def __init__(self, model: LoadedModel) -> None:
        self._model = model
        self.prompts = Prompts(model)
        self.slots = Slots(model.loras, model.settings.adapter_slots)
        self._plans: dict[tuple[int, Size, int | None], Schedule] = {}
        self.waiting: list[Order] = []

    def admit(self, room: int) -> list[Trajectory]:
        """At most `room` trajectories, earliest due first; the objectionable fail here.

        An order whose adapters find no slot keeps later ones with adapters from overtaking it.
        """
        self.waiting.sort(key=lambda order: order.due_at)
        self._read_together(self.waiting[:room])
        admitted: list[Trajectory] = []
        kept: list[Order] = []
        for order in self.waiting:
            is_held_back = order.adapters and any(o.adapters for o in kept)
            if len(admitted) >= room or is_held_back:
                kept.append(order)
            elif (trajectory := self._try(order, kept)) is not None:
                admitted.append(trajectory)
        self.waiting = kept
        return admitted

    def _read_together(self, orders: list[Order]) -> None:
        """Encode the prompts of what is likely admitted now by one call of the text encoders."""
        texts: list[str] = []
        for order in orders:
            if not any(adapter.is_read_by_text for adapter, _ in order.adapters):
                texts.append(order.job.prompt)
                if order.job.negative_prompt and self._model.is_guided(order.job.guidance):
                    texts.append(order.job.negative_prompt)
        self.prompts.prepare(texts)

    def release(self, trajectory: Trajectory) -> None:
        self.slots.release(trajectory.order.adapters)

    def _try(self, order: Order, kept: list[Order]) -> Trajectory | None:
        if (objection := order.objection()) is not None:
            order.future.set_exception(objection)
            return None
        wearing: Wearing | None = None
        try:
            self._check(order)
            wearing = self.slots.acquire(order.adapters)
            if wearing is None:
                kept.append(order)
                return None
            return self._start(order, wearing)
        except Exception as error:  # whatever one job does wrong is that job's failure alone
            if wearing is not None:
                self.slots.release(order.adapters)
            order.future.set_exception(named(error))
            return None

    def _check(self, order: Order) -> None:
        if not 1 <= order.job.steps <= self._model.settings.steps_ceiling:
            raise StepsNotSupported(message=f"{order.job.steps} steps cannot be taken.")
        if len(order.adapters) > self.slots.count:
            raise MoreAdaptersThanSlots

    def _start(self, order: Order, wearing: Wearing) -> Trajectory:
        job, model = order.job, self._model
        started_at = monotonic()
        key = tuple((a.name, weight) for a, weight in order.adapters if a.is_read_by_text)
        if (shown := job.shown_prompt) is not None and self.prompts.looks_like(
            job.prompt, shown, key=key, wearing=wearing
        ):
            raise Unchanged
        size = native_size(job, multiple=model.size_multiple)
        generator = torch.Generator("cpu").manual_seed(job.seed)
        picture = self._picture(order, generator)  # draws before the noise, as diffusers does
        noise = model.family.noise(model.pipe, size, generator).to(model.device)
        painting = self._painting(order, picture, noise, size)
        schedule = self._plan(job, size, noise)
        if painting is not None:
            picture = _first(order, painting)
        rows = self._rows(job, size, key, wearing)
        dropped_tokens = self.prompts.dropped_tokens(job.prompt)
        unread = self.prompts.dropped_tokens(job.negative_prompt) if job.negative_prompt else 0
        return Trajectory(
            order=order,
            size=size,
            schedule=schedule,
            generator=generator,
            latents=noise * schedule.noise_scale + picture * schedule.source_scale,
            past=torch.zeros_like(noise),
            rows=rows,
            wearing=wearing,
            dropped_tokens=dropped_tokens,
            dropped_negative_tokens=unread,
            started_at=started_at,
            prepare_s=monotonic() - started_at,
            painting=painting,
        )

    def _rows(
        self, job: RenderJob, size: Size, key: TextKey, wearing: Wearing
    ) -> tuple[dict[str, torch.Tensor], ...]:
        model = self._model
        extras = model.family.extras(model.pipe, size, job.guidance)
        positive = self.prompts.encode(job.prompt, key=key, wearing=wearing)
        if not model.is_guided(job.guidance):
            return (positive | extras,)
        negative = self.prompts.negative(job.negative_prompt, positive, key=key, wearing=wearing)
        positive, negative = padded_text.paired(positive, negative)
        return positive | extras, negative | extras

    def _picture(self, order: Order, generator: torch.Generator) -> torch.Tensor | float:
        """Latents of the picture to start from; 0 where there is none."""
        if order.picture is None:
            return 0.0
        model = self._model
        return model.family.from_vae(model.pipe, order.picture, generator).to(model.device)

    def _painting(
        self, order: Order, picture: torch.Tensor | float, noise: torch.Tensor, size: Size
    ) -> Painting | None:
        if order.canvas is None or not isinstance(picture, torch.Tensor):
            return None
        model = self._model
        change = model.family.change(model.pipe, order.canvas.change(), size).to(model.device)
        return Painting(picture, noise, change)

    def _plan(self, job: RenderJob, size: Size, latents: torch.Tensor) -> Schedule:
        model, steps, source = self._model, job.steps, job.source
        skipped = model.family.skipped(steps, source.strength) if source else None
        if source and source.inpainting and skipped == 0:
            skipped = None  # nothing is left of what is painted anew, so it begins as noise alone
        key = (steps, size, skipped)
        if key not in self._plans:
            if len(self._plans) >= PLANS_KEPT:
                self._plans.clear()
            options = model.family.timesteps(model.pipe, steps, latents)
            try:
                self._plans[key] = row_schedules.plan(model.scheduler, options, skipped=skipped)
            except ValueError as error:
                raise StepsNotSupported(message=f"{steps} steps cannot be taken.") from error
        return self._plans[key]


def _first(order: Order, painting: Painting) -> torch.Tensor:
    """The latents that a painting begins with, under its mask what the job says."""
    source = order.job.source
    fill = source.inpainting.fill if source and source.inpainting else "original"
    if fill in ("noise", "nothing"):
        under = painting.noise if fill == "noise" else torch.zeros_like(painting.noise)
        return torch.where(painting.change > 0, under, painting.kept)
    return painting.kept


def native_size(job: RenderJob, *, multiple: int) -> Size:
    """Height and width that the VAE decodes: the job's shape, its shorter side `native_size`."""
    scale = job.native_size / min(job.height, job.width)
    height, width = (
        max(multiple, round(side * scale / multiple) * multiple) for side in (job.height, job.width)
    )
    return height, width
