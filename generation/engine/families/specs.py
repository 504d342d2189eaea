"""What differs between the families of models; everything else is one engine.

A *row* is one call's worth of conditioning for one image: named tensors [1, …] that are stacked
to a batch. What all rows of a bucket have in common (position ids) is passed unstacked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from generation.engine.jobs import ModelNotLoadable

Rows = dict[str, Tensor]
Size = tuple[int, int]  # height and width in the VAE's pixels
# The layers that can wear adapters, by the names of diffusers' modules; most trainers change the
# first only, and what they change together lies together in a slot.
TARGETS = (
    r"\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)$",  # attention
    r"\.(ff|ff_context)\.net\.(0\.proj|2)$",  # feed-forward
    r"(^|\.)(proj_in|proj_out|proj_mlp)$",
    r"\.(norm|norm1|norm1_context)\.linear$",  # Flux: modulations
    r"^(x_embedder|context_embedder)$|^time_text_embed\..*linear_[12]$|^norm_out\.linear$",
)


@dataclass(frozen=True, slots=True)
class Family:
    """One row of the table below.

    `encode(pipe, texts)` gives their rows [texts, …]; `extras(pipe, size, guidance)` what a row
    needs beside it; `shared(pipe, size)` what a bucket shares; `call(network, latents, timesteps,
    rows, shared)` is one forward; `noise` the first latents [1, …]; `timesteps` the options of
    `set_timesteps`; `to_vae` what the VAE decodes, `from_vae` float32 latents of a picture [1, 3,
    H, W] in [-1, 1]; `skipped(steps, strength)` the steps that are left out when one is started
    from; `lora_options` diffusers' own for reading a LoRA file. `is_guided_by_row` says that
    guidance costs a second row; `has_zero_negative(pipe)` that this row is zeros when there is no
    negative prompt.
    """

    pipelines: frozenset[str]
    network: str
    text_encoders: tuple[str, ...]
    encode: Callable[[Any, list[str]], Rows]
    is_guided_by_row: bool
    has_zero_negative: Callable[[Any], bool]
    extras: Callable[[Any, Size, float], Rows]
    shared: Callable[[Any, Size], Rows]
    call: Callable[[Any, Tensor, Tensor, Rows, Rows], Tensor]
    noise: Callable[[Any, Size, torch.Generator], Tensor]
    timesteps: Callable[[Any, int, Tensor], dict[str, Any]]
    to_vae: Callable[[Any, Tensor, Size], Tensor]
    from_vae: Callable[[Any, Tensor, torch.Generator], Tensor]
    skipped: Callable[[int, float], int]
    lora_options: Callable[[Any], dict[str, Any]]


def _latent_noise(pipe: Any, size: Size, generator: torch.Generator, channels: int) -> Tensor:
    """Drawn on the CPU in float32, so that one seed gives one picture on every device."""
    height, width = (side // pipe.vae_scale_factor for side in size)
    return torch.randn(1, channels, height, width, generator=generator)


def _unet_noise(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    return _latent_noise(pipe, size, generator, pipe.unet.config.in_channels)


def _plain_timesteps(pipe: Any, steps: int, latents: Tensor) -> dict[str, Any]:
    return {"num_inference_steps": steps}


def _unshared(pipe: Any, size: Size) -> Rows:
    return {}


def _never(pipe: Any) -> bool:
    return False


def _guidance_embedding(pipe: Any, size: Size, guidance: float) -> Rows:
    """U-Nets distilled with guidance as an input (LCM) take it embedded."""
    width = pipe.unet.config.time_cond_proj_dim
    if width is None:
        return {}
    embedding = pipe.get_guidance_scale_embedding(torch.tensor([guidance - 1]), width)
    return {"timestep_cond": embedding.to(pipe.unet.device, pipe.unet.dtype)}


def _normalisation(pipe: Any, latents: Tensor) -> tuple[Tensor, Tensor] | None:
    """Mean and spread [1, C, 1, 1] of the VAE's latents, where its configuration names them."""
    mean, std = (pipe.vae.config.get(name) for name in ("latents_mean", "latents_std"))
    if mean is None or std is None:
        return None
    shape = (1, -1, 1, 1)
    centre, spread = (torch.tensor(v, device=latents.device).view(shape) for v in (mean, std))
    return centre, spread


def _unscaled(pipe: Any, latents: Tensor, size: Size) -> Tensor:
    factor = float(pipe.vae.config.scaling_factor)
    if (known := _normalisation(pipe, latents)) is None:
        return latents / factor
    centre, spread = known
    return latents * spread / factor + centre


def _encoded(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    """A draw from what the VAE makes of a picture; tiny autoencoders leave nothing to chance."""
    vae = pipe.vae
    encoded = vae.encode(picture.to(vae.device, vae.dtype))
    is_drawn = hasattr(encoded, "latent_dist")
    latents: Tensor = encoded.latent_dist.sample(generator) if is_drawn else encoded.latents
    return latents.float()


def _scaled(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    latents = _encoded(pipe, picture, generator)
    factor = float(pipe.vae.config.scaling_factor)
    if (known := _normalisation(pipe, latents)) is None:
        return latents * factor
    centre, spread = known
    return (latents - centre) * factor / spread


def _skipped(steps: int, strength: float) -> int:
    return steps - min(int(steps * strength), steps)


def _skipped_flux(steps: int, strength: float) -> int:
    return int(steps - min(steps * strength, steps))


def _no_options(pipe: Any) -> dict[str, Any]:
    return {}


def _encode_sd(pipe: Any, texts: list[str]) -> Rows:
    embeds, _ = pipe.encode_prompt(texts, pipe.text_encoder.device, 1, False)
    return {"encoder_hidden_states": embeds}


def _call_sd(network: Any, latents: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    prediction: Tensor = network(latents, timesteps, return_dict=False, **rows)[0]
    return prediction


def _encode_sdxl(pipe: Any, texts: list[str]) -> Rows:
    embeds, _, pooled, _ = pipe.encode_prompt(
        texts,
        device=pipe.text_encoder.device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
    )
    return {"encoder_hidden_states": embeds, "text_embeds": pooled}


def _has_zero_negative_sdxl(pipe: Any) -> bool:
    return bool(pipe.config.force_zeros_for_empty_prompt)


def _extras_sdxl(pipe: Any, size: Size, guidance: float) -> Rows:
    width = pipe.text_encoder_2.config.projection_dim
    ids = pipe._get_add_time_ids(
        size, (0, 0), size, dtype=pipe.unet.dtype, text_encoder_projection_dim=width
    )
    return {"time_ids": ids.to(pipe.unet.device)} | _guidance_embedding(pipe, size, guidance)


def _lora_options_sdxl(pipe: Any) -> dict[str, Any]:
    """Names of the original code's blocks are mapped by the U-Net's own layout."""
    return {"unet_config": pipe.unet.config}


def _call_sdxl(
    network: Any, latents: Tensor, timesteps: Tensor, rows: Rows, shared: Rows
) -> Tensor:
    prediction: Tensor = network(
        latents,
        timesteps,
        encoder_hidden_states=rows["encoder_hidden_states"],
        timestep_cond=rows.get("timestep_cond"),
        added_cond_kwargs={name: rows[name] for name in ("text_embeds", "time_ids")},
        return_dict=False,
    )[0]
    return prediction


def _encode_flux(pipe: Any, texts: list[str]) -> Rows:
    embeds, pooled, _ = pipe.encode_prompt(texts, None, device=pipe.text_encoder.device)
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _extras_flux(pipe: Any, size: Size, guidance: float) -> Rows:
    if not pipe.transformer.config.guidance_embeds:
        return {}
    return {
        "guidance": torch.full([1], guidance, device=pipe.transformer.device, dtype=torch.float32)
    }


def _shared_flux(pipe: Any, size: Size) -> Rows:
    rows, columns = (side // (pipe.vae_scale_factor * 2) for side in size)
    device, dtype = pipe.transformer.device, pipe.transformer.dtype
    return {
        "img_ids": pipe._prepare_latent_image_ids(1, rows, columns, device, dtype),
        "txt_ids": torch.zeros(512, 3, device=device, dtype=dtype),
    }


def _call_flux(
    network: Any, latents: Tensor, timesteps: Tensor, rows: Rows, shared: Rows
) -> Tensor:
    prediction: Tensor = network(
        hidden_states=latents,
        timestep=timesteps.to(latents.dtype) / 1000,
        return_dict=False,
        **rows,
        **shared,
    )[0]
    return prediction


def _noise_flux(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    channels = pipe.transformer.config.in_channels // 4
    noise = _latent_noise(pipe, size, generator, channels)
    packed: Tensor = pipe._pack_latents(noise, 1, channels, *noise.shape[-2:])
    return packed


def _timesteps_flux(pipe: Any, steps: int, latents: Tensor) -> dict[str, Any]:
    """Sigmas shifted by the length of the packed latents, as Flux was trained."""
    config = pipe.scheduler.config
    least, most = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", 1.15)
    mu = low + (high - low) * (latents.shape[1] - least) / (most - least)
    return {"sigmas": np.linspace(1.0, 1 / steps, steps), "mu": mu}


def _lora_options_flux(pipe: Any) -> dict[str, Any]:
    return {"return_alphas": True}


def _from_vae_flux(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    latents = _encoded(pipe, picture, generator)
    config = pipe.vae.config
    latents = (latents - float(config.shift_factor)) * float(config.scaling_factor)
    packed: Tensor = pipe._pack_latents(latents, *latents.shape)
    return packed


def _to_vae_flux(pipe: Any, latents: Tensor, size: Size) -> Tensor:
    unpacked: Tensor = pipe._unpack_latents(latents, *size, pipe.vae_scale_factor)
    config = pipe.vae.config
    return unpacked / float(config.scaling_factor) + float(config.shift_factor)


STABLE_DIFFUSION = Family(
    pipelines=frozenset({"StableDiffusionPipeline"}),
    network="unet",
    text_encoders=("text_encoder",),
    is_guided_by_row=True,
    has_zero_negative=_never,
    encode=_encode_sd,
    extras=_guidance_embedding,
    shared=_unshared,
    call=_call_sd,
    noise=_unet_noise,
    timesteps=_plain_timesteps,
    to_vae=_unscaled,
    from_vae=_scaled,
    skipped=_skipped,
    lora_options=_no_options,
)
SDXL = Family(
    pipelines=frozenset({"StableDiffusionXLPipeline"}),
    network="unet",
    text_encoders=("text_encoder", "text_encoder_2"),
    is_guided_by_row=True,
    has_zero_negative=_has_zero_negative_sdxl,
    encode=_encode_sdxl,
    extras=_extras_sdxl,
    shared=_unshared,
    call=_call_sdxl,
    noise=_unet_noise,
    timesteps=_plain_timesteps,
    to_vae=_unscaled,
    from_vae=_scaled,
    skipped=_skipped,
    lora_options=_lora_options_sdxl,
)
FLUX = Family(
    pipelines=frozenset({"FluxPipeline"}),
    network="transformer",
    text_encoders=("text_encoder",),
    is_guided_by_row=False,
    has_zero_negative=_never,
    encode=_encode_flux,
    extras=_extras_flux,
    shared=_shared_flux,
    call=_call_flux,
    noise=_noise_flux,
    timesteps=_timesteps_flux,
    to_vae=_to_vae_flux,
    from_vae=_from_vae_flux,
    skipped=_skipped_flux,
    lora_options=_lora_options_flux,
)
FAMILIES = (STABLE_DIFFUSION, SDXL, FLUX)


def family_of(pipe: Any) -> Family:
    """Raises ModelNotLoadable."""
    name = type(pipe).__name__
    for family in FAMILIES:
        if name in family.pipelines:
            return family
    raise ModelNotLoadable(message=f"The engine knows no {name}.")
