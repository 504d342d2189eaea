"""The networks of the starter model, all of stock diffusers and transformers classes.

The pooled prompt also enters every residual block through the time embedding
(`addition_embed_type="text"`), which a small network learns far sooner than cross-attention.
"""

from __future__ import annotations

import torch
from diffusers import DDIMScheduler, UNet2DConditionModel

from generation.starter.networks.autoencoder import CHANNELS

TEXT_WIDTH = 192
CELLS = 16
BLOCKS = (48, 128, 192)


def build_unet(
    blocks: tuple[int, int, int] = BLOCKS, *, width: int = TEXT_WIDTH
) -> UNet2DConditionModel:
    """[N, 16, 16, 16] latents; attention at 8×8 and 4×4 cells only."""
    return UNet2DConditionModel(
        sample_size=CELLS,
        in_channels=CHANNELS,
        out_channels=CHANNELS,
        block_out_channels=blocks,
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=width,
        attention_head_dim=4,
        norm_num_groups=16,
        resnet_time_scale_shift="scale_shift",
        addition_embed_type="text",
        addition_embed_type_num_heads=4,
    )


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
