"""The rows of one forward: one or two for each image, padded to a size that is in use."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from generation.engine.loading.loaded_model import LoadedModel
from generation.engine.loop.inpainting import PaintedRows
from generation.engine.loop.trajectory import Trajectory
from generation.engine.schedules import row_schedules


class Batch:
    """`members` in order, then the second rows of those that are guided, then padding.

    It stays valid while the same images step together, so conditioning is stacked once.
    """

    def __init__(self, model: LoadedModel, members: Sequence[Trajectory]) -> None:
        self.members = tuple(members)
        self._model = model
        self._guided = [i for i, member in enumerate(members) if len(member.rows) > 1]
        rows = [member.rows[0] for member in members]
        rows += [members[i].rows[1] for i in self._guided]
        owners = [*range(len(members)), *self._guided]
        padding = _padded(len(rows), model.settings.batch_sizes) - len(rows)
        owners += [0] * padding
        rows += [rows[0]] * padding
        self._owners = torch.tensor(owners, device=model.device)
        self._rows = {name: torch.cat([row[name] for row in rows]) for name in rows[0]}
        self._shared = model.family.shared(model.pipe, members[0].size)
        self._wearing = [members[i].wearing for i in owners]
        jobs = [members[i].order.job for i in self._guided]
        above = model.family.guided_above(model.pipe)
        scales = torch.tensor([job.guidance + 1 - above for job in jobs], device=model.device)
        self._guidance = scales.view(-1, *[1] * (members[0].latents.dim() - 1))
        self._shares = [job.guidance_rescale for job in jobs]
        self._painted = PaintedRows(members)
        self._has_past = any(member.schedule.has_past for member in members)

    def predict(self) -> Tensor:
        """The model's prediction for each member, guided, float32 [members, …]."""
        timesteps, scales, _ = self._scheduled()
        latents = self._latents()
        scaled = latents * scales.view(-1, *[1] * (latents.dim() - 1))
        raw = self._model.predict(
            scaled[self._owners].to(self._model.dtype),
            timesteps[self._owners],
            self._rows,
            self._shared,
            self._wearing,
        ).float()
        return self._guide(raw)

    def advance(self, prediction: Tensor) -> Tensor:
        """Move every member one step; returns the estimates of the final latents."""
        *_, weights = self._scheduled()
        has_noise = any(m.schedule.needs_noise(m.step) for m in self.members)
        past = torch.cat([m.past for m in self.members]) if self._has_past else None
        noise = torch.cat([m.noise() for m in self.members]) if has_noise else None
        stepped, estimates = row_schedules.advance(
            weights, self._latents(), prediction, past, noise
        )
        stepped = self._painted.put_back(stepped)
        for index, member in enumerate(self.members):
            member.latents = stepped[index : index + 1]
            member.past = estimates[index : index + 1]
            member.step += 1
        return estimates

    def _latents(self) -> Tensor:
        return torch.cat([member.latents for member in self.members])

    def _scheduled(self) -> tuple[Tensor, Tensor, Tensor]:
        gathered = row_schedules.gather([(m.schedule, m.step) for m in self.members])
        timesteps, scales, weights = (part.to(self._model.device) for part in gathered)
        return timesteps, scales, weights

    def _guide(self, raw: Tensor) -> Tensor:
        count, guided = len(self.members), self._guided
        prediction = raw[:count]
        if not guided:
            return prediction
        negative = raw[count : count + len(guided)]
        positive = prediction if len(guided) == count else prediction[guided]
        led = negative + self._guidance * (positive - negative)
        led = self._model.family.renormalise(led, positive, self._shares)
        if len(guided) == count:
            return led
        prediction = prediction.clone()
        prediction[guided] = led
        return prediction


def _padded(rows: int, sizes: Sequence[int]) -> int:
    """The smallest size in use that holds `rows`; more rows than the largest stay as they are."""
    return next((size for size in sizes if size >= rows), rows)
