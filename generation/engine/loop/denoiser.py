"""Step-level batching: a forward takes the images of one size that are due first.

Each row of the batch has its own prompt, timestep, guidance, seed, schedule and adapters. Images
join between two steps and leave when they are done, so a short one never waits for a long one.
"""

from __future__ import annotations

from time import monotonic

import torch
from torch import Tensor

from generation.engine.jobs import NotFinite
from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.batch_choice import due_first
from generation.engine.loop.batch_rows import Batch
from generation.engine.loop.preparation import Admission, named
from generation.engine.loop.trajectory import Order, Trajectory

# After this many forwards without trouble, a batch that ran out of memory may grow again.
CALM_FORWARDS = 200


class Denoiser:
    """Belongs to the engine's thread. `forwards` and `rows` count what it has done."""

    def __init__(self, model: LoadedModel) -> None:
        self.model = model
        self.admission = Admission(model)
        self.active: list[Trajectory] = []
        self.rows_ceiling = model.settings.batch_sizes[-1]
        self.forwards = 0
        self.rows = 0
        self._calm = 0
        self._last: Batch | None = None

    @property
    def is_idle(self) -> bool:
        return not self.active and not self.admission.waiting

    @property
    def due_at(self) -> float:
        """When the most urgent of its images is due."""
        orders = [t.order for t in self.active] + self.admission.waiting
        return min((order.due_at for order in orders), default=float("inf"))

    def enqueue(self, order: Order) -> None:
        self.admission.waiting.append(order)

    def step(self) -> list[Trajectory]:
        """One step of the images that are due first; returns those that are ready to decode."""
        self._admit()
        members = due_first(self.active, self.rows_ceiling)
        started = monotonic()
        for batch, prediction in self._forward(members):
            self._advance(batch, prediction)
        self._charge(members, monotonic() - started)
        return self._retire(members)

    def abandon(self, error: Exception) -> None:
        """Fail everything that waits or is on its way."""
        for trajectory in self.active:
            self.admission.release(trajectory)
        for order in [t.order for t in self.active] + self.admission.waiting:
            if not order.future.done():
                order.future.set_exception(error)
        self.active, self.admission.waiting = [], []

    def _admit(self) -> None:
        room = self.model.settings.active_ceiling - len(self.active)
        if self.admission.waiting and room > 0:
            self.active += self.admission.admit(min(room, self.model.settings.batch_sizes[-1]))

    def _forward(self, members: list[Trajectory]) -> list[tuple[Batch, Tensor]]:
        """Predictions of all members, in one batch unless it fails: then it is cut in two until
        the culprit stands alone, and only that one fails."""
        if not members:
            return []
        try:
            batch = self._batch_of(members)
            prediction = batch.predict()
        except Exception as error:
            if isinstance(error, torch.OutOfMemoryError):
                self._shrink(len(members))
            if len(members) == 1:
                members[0].error = named(error)
                return []
        else:
            self._count(members)
            return [(batch, prediction)]
        half = len(members) // 2
        return self._forward(members[:half]) + self._forward(members[half:])

    def _batch_of(self, members: list[Trajectory]) -> Batch:
        if self._last is None or self._last.members != tuple(members):
            self._last = Batch(self.model, members)
        return self._last

    def _shrink(self, members: int) -> None:
        self._last = None
        self._calm = 0
        self.rows_ceiling = max(1, min(self.rows_ceiling, 2 * members) // 2)
        if self.model.device.type == "cuda":
            torch.cuda.empty_cache()

    def _count(self, members: list[Trajectory]) -> None:
        self.forwards += 1
        self.rows += sum(len(member.rows) for member in members)
        self._calm += 1
        if self._calm >= CALM_FORWARDS:
            self._calm = 0
            self.rows_ceiling = min(2 * self.rows_ceiling, self.model.settings.batch_sizes[-1])

    def _advance(self, batch: Batch, prediction: Tensor) -> None:
        estimates = batch.advance(prediction)
        finite = torch.isfinite(estimates).flatten(1).all(1).tolist()
        for index, member in enumerate(batch.members):
            if not finite[index]:
                member.error = NotFinite()
                continue
            if member.order.on_step is not None:
                preview = estimates[index : index + 1] if self._is_preview_due(member) else None
                member.order.on_step(member.order, member.step, len(member.schedule), preview)

    def _charge(self, members: list[Trajectory], seconds: float) -> None:
        """Share the time of a forward among its images by the rows that they took."""
        rows = sum(len(member.rows) for member in members)
        for member in members:
            member.device_s += seconds * len(member.rows) / rows

    def _is_preview_due(self, member: Trajectory) -> bool:
        if member.order.job.is_interactive:
            return False  # the image itself is there before a preview would be of use
        every = max(1, len(member.schedule) // max(1, self.model.settings.previews))
        return bool(self.model.settings.previews) and not (member.step % every or member.is_done)

    def _retire(self, members: list[Trajectory]) -> list[Trajectory]:
        """Take those that are over out of the batch; fail those that must not go on."""
        done = []
        for member in members:
            error = member.error or member.order.objection()
            if error is None and not member.is_done:
                continue
            self.active.remove(member)
            self._last = None  # its members have changed, and it would keep their pictures
            self.admission.release(member)
            if error is None:
                done.append(member)
            else:
                member.order.future.set_exception(error)
        return done
