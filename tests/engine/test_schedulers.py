"""Each scheduler, stepped by row beside strangers, against diffusers' own run alone."""

from typing import Any

import pytest
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerAncestralDiscreteScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    LCMScheduler,
    PNDMScheduler,
)
from torch import Tensor

from generation.engine.jobs import ModelNotLoadable
from generation.engine.schedules import row_schedules

# diffusers turns tensors into arrays in a way that numpy will stop to support.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")

SHAPE = (1, 4, 8, 8)
SD = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
EXACT = {"clip_sample": False}
SCHEDULERS: dict[str, tuple[Any, dict[str, Any]]] = {
    "ddim epsilon": (DDIMScheduler, dict(**SD, **EXACT, set_alpha_to_one=False, steps_offset=1)),
    "ddim v trailing": (
        DDIMScheduler,
        dict(
            beta_schedule="squaredcos_cap_v2",
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            **EXACT,
        ),
    ),
    "ddim v zero snr": (
        DDIMScheduler,
        dict(
            **SD,
            **EXACT,
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            rescale_betas_zero_snr=True,
        ),
    ),
    "euler": (EulerDiscreteScheduler, dict(**SD, timestep_spacing="leading", steps_offset=1)),
    "euler v": (EulerDiscreteScheduler, dict(**SD, prediction_type="v_prediction")),
    "euler v zero snr": (
        EulerDiscreteScheduler,
        dict(
            **SD,
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            rescale_betas_zero_snr=True,
        ),
    ),
    "euler karras": (EulerDiscreteScheduler, dict(**SD, use_karras_sigmas=True)),
    "euler ancestral": (EulerAncestralDiscreteScheduler, dict(**SD)),
    "dpm++ 2m": (DPMSolverMultistepScheduler, dict(**SD)),
    "dpm++ 2m karras": (DPMSolverMultistepScheduler, dict(**SD, use_karras_sigmas=True)),
    "dpm++ 2m v heun": (
        DPMSolverMultistepScheduler,
        dict(**SD, prediction_type="v_prediction", solver_type="heun"),
    ),
    "dpm++ 2m sde": (DPMSolverMultistepScheduler, dict(**SD, algorithm_type="sde-dpmsolver++")),
    "lcm": (LCMScheduler, dict(**SD, **EXACT)),
    "flow match": (FlowMatchEulerDiscreteScheduler, {"shift": 3.0}),
}


def made(name: str) -> Any:
    kind, options = SCHEDULERS[name]
    return kind(**options)


def model(latents: Tensor, timestep: Tensor, row: int) -> Tensor:
    """A stand-in for a network: smooth, bounded, different for each row."""
    return torch.tanh(latents.roll(row + 1, dims=-1) * 0.7 + timestep / 1000 - 0.3 * row)


def alone(scheduler: Any, steps: int, row: int) -> Tensor:
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(row)
    latents = torch.randn(SHAPE, generator=generator) * getattr(scheduler, "init_noise_sigma", 1.0)
    for timestep in scheduler.timesteps:
        seen = latents
        if hasattr(scheduler, "scale_model_input"):
            seen = scheduler.scale_model_input(latents, timestep)
        prediction = model(seen, timestep, row)
        latents = scheduler.step(prediction, timestep, latents, generator=generator).prev_sample
    return latents


def together(rows: list[tuple[Any, int]]) -> list[Tensor]:
    """All rows in one batch; a row that has finished leaves, the others go on."""
    schedules = [row_schedules.plan(s, {"num_inference_steps": steps}) for s, steps in rows]
    generators = [torch.Generator().manual_seed(row) for row in range(len(rows))]
    latents = [
        torch.randn(SHAPE, generator=g) * schedule.noise_scale
        for g, schedule in zip(generators, schedules, strict=True)
    ]
    past = [torch.zeros(SHAPE) for _ in rows]
    for step in range(max(steps for _, steps in rows)):
        active = [row for row, (_, steps) in enumerate(rows) if step < steps]
        timesteps, scales, weights = row_schedules.gather([(schedules[r], step) for r in active])
        predictions = [
            model(latents[row] * scale, timestep, row)
            for row, timestep, scale in zip(active, timesteps, scales, strict=True)
        ]
        noise = [
            torch.randn(SHAPE, generator=generators[row])
            if schedules[row].needs_noise(step)
            else torch.zeros(SHAPE)
            for row in active
        ]
        stepped, estimates = row_schedules.advance(
            weights,
            torch.cat([latents[row] for row in active]),
            torch.cat(predictions),
            torch.cat([past[row] for row in active]),
            torch.cat(noise),
        )
        for index, row in enumerate(active):
            latents[row], past[row] = stepped[index : index + 1], estimates[index : index + 1]
    return latents


def rounding_of(scheduler: Any) -> float:
    """1e-4, or two units in the last place where float32 latents are larger: 4,096 without SNR."""
    first = float(getattr(scheduler, "init_noise_sigma", 1.0))
    return max(1e-4, 2 * torch.finfo(torch.float32).eps * first)


@pytest.mark.parametrize("name", SCHEDULERS)
@pytest.mark.parametrize("steps", [1, 2, 4, 9, 20])
def test_a_row_ends_where_diffusers_ends(name: str, steps: int) -> None:
    scheduler = made(name)
    (ours,) = together([(scheduler, steps)])
    theirs = alone(scheduler, steps, row=0)
    torch.testing.assert_close(ours, theirs, atol=rounding_of(scheduler), rtol=1e-4)


def test_rows_of_different_schedulers_and_lengths_do_not_touch_each_other() -> None:
    rows = [
        (made(name), steps)
        for name, steps in zip(
            SCHEDULERS, [7, 3, 5, 11, 2, 8, 6, 4, 9, 12, 5, 8, 4, 6], strict=True
        )
    ]
    for row, (ours, (scheduler, steps)) in enumerate(zip(together(rows), rows, strict=True)):
        theirs = alone(scheduler, steps, row)
        torch.testing.assert_close(ours, theirs, atol=rounding_of(scheduler), rtol=1e-4)


def test_a_dynamically_shifted_flow_schedule_keeps_its_own_sigmas() -> None:
    scheduler: Any = FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)
    options = {"sigmas": [1.0, 0.75, 0.5, 0.25], "mu": 0.8}
    schedule = row_schedules.plan(scheduler, options)
    scheduler.set_timesteps(**options)
    torch.testing.assert_close(schedule.timesteps, scheduler.timesteps)
    torch.testing.assert_close(
        schedule.weights[:, row_schedules.DRIVE], scheduler.sigmas.diff().float()
    )


def test_planning_leaves_the_scheduler_as_it_was() -> None:
    scheduler = EulerDiscreteScheduler(**SD)
    before = scheduler.timesteps.clone()
    row_schedules.plan(scheduler, {"num_inference_steps": 5})
    assert torch.equal(scheduler.timesteps, before)


def test_pndm_gives_way_to_euler_with_the_same_betas() -> None:
    pndm: Any = PNDMScheduler(**SD, skip_prk_steps=True)
    substitute = row_schedules.supported(pndm)
    assert isinstance(substitute, EulerDiscreteScheduler)
    assert torch.equal(substitute.alphas_cumprod, pndm.alphas_cumprod)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (DDIMScheduler, {"clip_sample": True}),
        (DDIMScheduler, {"clip_sample": False, "thresholding": True}),
        (DPMSolverMultistepScheduler, {"solver_order": 3}),
    ],
)
def test_a_scheduler_whose_step_is_no_sum_is_refused_by_name(
    kind: Any, options: dict[str, Any]
) -> None:
    with pytest.raises(ModelNotLoadable, match=kind.__name__):
        row_schedules.supported(kind(**options))
