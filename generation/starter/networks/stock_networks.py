"""The starter model's noise schedule, of stock diffusers."""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler


def build_scheduler() -> DDIMScheduler:
    """Squared-cosine schedule, v-prediction, sampling from pure noise."""
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="squaredcos_cap_v2",
        prediction_type="v_prediction",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
        timestep_spacing="trailing",
    )


def alphas_sigmas(timesteps: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Signal and noise amplitudes [N, 1, 1, 1] of `build_scheduler` at integer timesteps [N]."""
    kept = build_scheduler().alphas_cumprod[timesteps].view(-1, 1, 1, 1)
    return kept.sqrt(), (1 - kept).sqrt()
