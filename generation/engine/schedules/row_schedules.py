"""One denoising step for many requests, each row with its own scheduler and its own position.

Every scheduler here makes the next latents as a weighted sum of four things: the latents, the
model's prediction, the estimate of the step before (multistep solvers) and fresh noise. So no
formula is repeated: a `Schedule` walks diffusers' own scheduler once with unit vectors and notes
the weights that come out. A step is then one gather of weights by row and one sum.

Sources: diffusers' `schedulers`; StreamDiffusion (arXiv 2312.12491) for the per-row gather.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import diffusers
import torch
from torch import Tensor

from generation.engine.jobs import ModelNotLoadable

SUPPORTED = {
    "DDIMScheduler",
    "EulerDiscreteScheduler",
    "EulerAncestralDiscreteScheduler",
    "DPMSolverMultistepScheduler",
    "LCMScheduler",
    "FlowMatchEulerDiscreteScheduler",
}
# The schedulers that published model folders name and whose steps are no such sum.
SUBSTITUTES = {"PNDMScheduler": "EulerDiscreteScheduler"}

KEEP, DRIVE, PAST, NOISE, ESTIMATE_KEEP, ESTIMATE_DRIVE = range(6)
_PROBES = torch.eye(4, dtype=torch.float64)  # latents, prediction, past estimate, silence


@dataclass(frozen=True, slots=True)
class Schedule:
    """What one row needs of its scheduler.

    `timesteps` float32 [steps]; `input_scales` float32 [steps] multiply the latents before the
    model sees them; `weights` float32 [steps, 6] are indexed by KEEP … ESTIMATE_DRIVE;
    the first latents are `noise_scale` of noise and `source_scale` of the picture to start from,
    and after each step a part that stays as it was is a `mixtures` row of both, float32 [steps, 2]:
    in the end the picture alone.
    """

    timesteps: Tensor
    input_scales: Tensor
    weights: Tensor
    noise_scale: float
    mixtures: Tensor
    source_scale: float = 0.0

    def __len__(self) -> int:
        return len(self.timesteps)

    @property
    def has_past(self) -> bool:
        return bool(self.weights[:, PAST].any())

    def needs_noise(self, step: int) -> bool:
        return bool(self.weights[step, NOISE])


def supported(scheduler: Any) -> Any:
    """`scheduler`, or its substitute with the same noise schedule. Raises ModelNotLoadable."""
    name = type(scheduler).__name__
    config = scheduler.config
    if name in SUBSTITUTES:
        return getattr(diffusers, SUBSTITUTES[name]).from_config(config)
    is_sum = not config.get("clip_sample") and not config.get("thresholding")
    is_short = config.get("solver_order", 1) <= 2
    if name not in SUPPORTED or not is_sum or not is_short:
        raise ModelNotLoadable(message=f"The engine cannot step the model's scheduler ({name}).")
    return scheduler


def plan(
    scheduler: Any, timesteps_options: dict[str, Any], *, skipped: int | None = None
) -> Schedule:
    """Walk a copy of `scheduler` through its steps; `timesteps_options` go to `set_timesteps`.

    `skipped` steps are left out at the beginning where a picture is started from; None is for
    noise. Raises ValueError when no step is left.
    """
    walker = copy.deepcopy(scheduler)
    walker.set_timesteps(**timesteps_options)
    first, count = skipped or 0, len(walker.timesteps)
    if first >= count:
        raise ValueError("no step is left")
    if hasattr(walker, "set_begin_index"):
        walker.set_begin_index(first)
    noise_scale, source_scale = float(getattr(walker, "init_noise_sigma", 1.0)), 0.0
    if skipped is not None:
        noise_scale, source_scale = _mixture(walker, walker.timesteps[first : first + 1])
    generator = torch.Generator().manual_seed(0)
    rows, mixtures = [], []
    for index in range(first, count):
        rows.append(_walk_one(walker, index, generator))
        is_last = index + 1 == count
        following = walker.timesteps[index + 1 : index + 2]
        mixtures.append((0.0, 1.0) if is_last else _mixture(walker, following))
    return Schedule(
        timesteps=walker.timesteps[first:].float(),
        input_scales=torch.tensor([scale for scale, _ in rows]),
        weights=torch.stack([weights for _, weights in rows]).float(),
        noise_scale=noise_scale,
        mixtures=torch.tensor(mixtures),
        source_scale=source_scale,
    )


def _mixture(walker: Any, timestep: Tensor) -> tuple[float, float]:
    """How much noise and how much picture the scheduler starts from at `timestep`."""
    picture, noise = torch.eye(2, dtype=torch.float64)[:, None]
    if hasattr(walker, "scale_noise"):
        mixed = walker.scale_noise(picture, timestep, noise)
    else:
        mixed = walker.add_noise(picture, noise, timestep)
    return float(mixed[0, 1]), float(mixed[0, 0])


def _walk_one(walker: Any, index: int, generator: torch.Generator) -> tuple[float, Tensor]:
    timestep = walker.timesteps[index]
    scale = 1.0
    if hasattr(walker, "scale_model_input"):
        scale = float(walker.scale_model_input(torch.ones(1, dtype=torch.float64), timestep))
    latents, prediction, past, silence = _PROBES
    is_multistep = hasattr(walker, "model_outputs")
    if is_multistep and walker.lower_order_nums:
        walker.model_outputs[-1] = past
    noise = _next_noise(generator)
    result = walker.step(prediction, timestep, latents, generator=generator, return_dict=False)
    stepped = result[0].double()
    noise_weight = (stepped @ silence) / (noise @ silence)
    stepped = stepped - noise_weight * noise
    estimate = _estimate(walker, index, result).double()
    return scale, torch.stack([*stepped[:3], noise_weight, estimate[0], estimate[1]])


def _next_noise(generator: torch.Generator) -> Tensor:
    """What the scheduler is about to draw, should it draw, as `[4]` in its own precision."""
    ahead = torch.Generator()
    ahead.set_state(generator.get_state())
    return torch.randn(4, generator=ahead, dtype=torch.float64)


def _estimate(walker: Any, index: int, result: tuple[Tensor, ...]) -> Tensor:
    """The picture as the scheduler sees it after this step, in terms of the unit vectors."""
    if hasattr(walker, "model_outputs"):
        estimate: Tensor = walker.model_outputs[-1]
        return estimate
    if len(result) > 1:
        return result[1]
    return _PROBES[0] - float(walker.sigmas[index]) * _PROBES[1]


def advance(
    weights: Tensor, latents: Tensor, prediction: Tensor, past: Tensor | None, noise: Tensor | None
) -> tuple[Tensor, Tensor]:
    """The next latents and the estimates, both of the latents' shape [B, …].

    `weights` is [B, 6]; `past` and `noise` are given when any row's weight asks for them, with
    zeros in the other rows.
    """
    columns = weights.view(len(weights), 6, *[1] * (latents.dim() - 1)).unbind(1)
    stepped = columns[KEEP] * latents + columns[DRIVE] * prediction
    if past is not None:
        stepped += columns[PAST] * past
    if noise is not None:
        stepped += columns[NOISE] * noise
    return stepped, columns[ESTIMATE_KEEP] * latents + columns[ESTIMATE_DRIVE] * prediction


def gather(schedules: Sequence[tuple[Schedule, int]]) -> tuple[Tensor, Tensor, Tensor]:
    """Timesteps [B], input scales [B] and weights [B, 6] of the rows at their positions."""
    return (
        torch.stack([schedule.timesteps[step] for schedule, step in schedules]),
        torch.stack([schedule.input_scales[step] for schedule, step in schedules]),
        torch.stack([schedule.weights[step] for schedule, step in schedules]),
    )
