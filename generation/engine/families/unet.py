"""What the families with a U-Net have in common."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from diffusers.pipelines.stable_diffusion.pipeline_stable_diffusion import rescale_noise_cfg
from torch import Tensor

from generation.engine.families import latents
from generation.engine.families.family import Rows, Size
from generation.engine.families.prompt_chunks import ChunkReader
from moderation.policy.rulebook.prompt_syntax import PARTS_MAX

TEXT_TOKENS = 77
LONGEST = TEXT_TOKENS * math.lcm(*range(1, PARTS_MAX + 1))  # where 3 pieces are guided against 4


def reader(pipe: Any) -> ChunkReader:
    """The first tokenizer's: SDXL's two cut a text in the same way."""
    return ChunkReader(pipe.tokenizer, int(pipe.tokenizer.model_max_length), PARTS_MAX)


def noise(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    """The first latents [1, C, …]."""
    return latents.noise(pipe, size, generator, pipe.unet.config.in_channels)


def timesteps(pipe: Any, steps: int, first: Tensor) -> dict[str, Any]:
    """As many as there are steps, at the scheduler's own places."""
    return {"num_inference_steps": steps}


def guided_above(pipe: Any) -> float:
    """Plain classifier-free guidance, unless the guidance is an input."""
    return 1.0 if pipe.unet.config.time_cond_proj_dim is None else math.inf


def renormalise(guided: Tensor, positive: Tensor, shares: Sequence[float]) -> Tensor:
    """Rows with a share of 0 keep their bits; the others' spread goes as far to the prompt's."""
    if not any(shares):
        return guided
    share = torch.tensor(shares, device=guided.device).view(-1, 1, 1, 1)
    rescaled: Tensor = rescale_noise_cfg(guided, positive, share)  # by row
    return torch.where(share > 0, rescaled, guided)


def guidance_embedding(pipe: Any, size: Size, guidance: float) -> Rows:
    """U-Nets distilled with guidance as an input (LCM) take it embedded."""
    width = pipe.unet.config.time_cond_proj_dim
    if width is None:
        return {}
    embedding = pipe.get_guidance_scale_embedding(torch.tensor([guidance - 1]), width)
    return {"timestep_cond": embedding.to(pipe.unet.device, pipe.unet.dtype)}


def _normalisation(pipe: Any, like: Tensor) -> tuple[Tensor, Tensor] | None:
    """Mean and spread [1, C, 1, 1] of the VAE's latents, where its configuration names them."""
    mean, std = (pipe.vae.config.get(name) for name in ("latents_mean", "latents_std"))
    if mean is None or std is None:
        return None
    shape = (1, -1, 1, 1)
    centre, spread = (torch.tensor(v, device=like.device).view(shape) for v in (mean, std))
    return centre, spread


def to_vae(pipe: Any, denoised: Tensor, size: Size) -> Tensor:
    """Latents as the VAE decodes them."""
    factor = float(pipe.vae.config.scaling_factor)
    if (known := _normalisation(pipe, denoised)) is None:
        return denoised / factor
    centre, spread = known
    return denoised * spread / factor + centre


def from_vae(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    """Latents of a picture, as the network knows them."""
    drawn = latents.encoded(pipe, picture, generator)
    factor = float(pipe.vae.config.scaling_factor)
    if (known := _normalisation(pipe, drawn)) is None:
        return drawn * factor
    centre, spread = known
    return (drawn - centre) * factor / spread


def skipped(steps: int, strength: float) -> int:
    """How many steps are left out when a picture is departed from by `strength`."""
    return steps - min(int(steps * strength), steps)


def blank_inputs(
    config: Any, grid: Size, rows: int, dtype: torch.dtype
) -> tuple[Tensor, Rows, Rows]:
    """Of the shapes that `noise` and the family's `encode` and `extras` give."""

    def blank(*shape: int) -> Tensor:
        return torch.zeros(rows, *shape, device="meta", dtype=dtype)

    made = {
        "encoder_hidden_states": blank(
            LONGEST, config.encoder_hid_dim or config.cross_attention_dim
        )
    }
    if config.get("addition_time_embed_dim"):
        pooled = config.projection_class_embeddings_input_dim - 6 * config.addition_time_embed_dim
        made |= {"text_embeds": blank(pooled), "time_ids": blank(6)}
    if config.get("time_cond_proj_dim"):
        made["timestep_cond"] = blank(config.time_cond_proj_dim)
    return blank(config.in_channels, *grid), made, {}
