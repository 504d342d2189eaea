"""FLUX.1: a transformer over packed latents, guided by an input instead of a second row."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from generation.engine.families import flow, latents
from generation.engine.families.family import FamilySpec, Rows, Size, as_guided, never, unguided
from generation.engine.families.prompt_chunks import ChunkReader

TEXT_TOKENS = 512


def _encode(pipe: Any, texts: list[str]) -> Rows:
    embeds, pooled, _ = pipe.encode_prompt(texts, None, device=pipe.text_encoder.device)
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _reader(pipe: Any) -> ChunkReader:
    """T5's, whose vectors the transformer reads, in one piece; CLIP's pooled one has no weights."""
    return ChunkReader(pipe.tokenizer_2, TEXT_TOKENS, most=1)


def _extras(pipe: Any, size: Size, guidance: float) -> Rows:
    if not pipe.transformer.config.guidance_embeds:
        return {}
    return {
        "guidance": torch.full([1], guidance, device=pipe.transformer.device, dtype=torch.float32)
    }


def _shared(pipe: Any, size: Size) -> Rows:
    rows, columns = (side // (pipe.vae_scale_factor * 2) for side in size)
    device, dtype = pipe.transformer.device, pipe.transformer.dtype
    return {
        "img_ids": pipe._prepare_latent_image_ids(1, rows, columns, device, dtype),
        "txt_ids": torch.zeros(TEXT_TOKENS, 3, device=device, dtype=dtype),
    }


def _call(network: Any, noisy: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    prediction: Tensor = network(
        hidden_states=noisy,
        timestep=timesteps.to(noisy.dtype) / 1000,
        return_dict=False,
        **rows,
        **shared,
    )[0]
    return prediction


def _noise(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    channels = pipe.transformer.config.in_channels // 4
    drawn = latents.noise(pipe, size, generator, channels)
    packed: Tensor = pipe._pack_latents(drawn, 1, channels, *drawn.shape[-2:])
    return packed


def _timesteps(pipe: Any, steps: int, first: Tensor) -> dict[str, Any]:
    """Sigmas shifted by the length of the packed latents, as Flux was trained."""
    mu = flow.shift(pipe, first.shape[1])
    return {"sigmas": np.linspace(1.0, 1 / steps, steps), "mu": mu}


def _lora_options(pipe: Any) -> dict[str, Any]:
    return {"return_alphas": True}


def _from_vae(pipe: Any, picture: Tensor, generator: torch.Generator) -> Tensor:
    scaled = latents.shifted(pipe, picture, generator)
    packed: Tensor = pipe._pack_latents(scaled, *scaled.shape)
    return packed


def _to_vae(pipe: Any, denoised: Tensor, size: Size) -> Tensor:
    unpacked: Tensor = pipe._unpack_latents(denoised, *size, pipe.vae_scale_factor)
    return latents.unshifted(pipe, unpacked, size)


def _change(pipe: Any, mask: Tensor, size: Size) -> Tensor:
    found = latents.change(pipe, mask, size)
    shape = 1, pipe.transformer.config.in_channels // 4, *found.shape[-2:]
    packed: Tensor = pipe._pack_latents(found.expand(shape), *shape)
    return packed


def _blank_inputs(
    config: Any, grid: Size, rows: int, dtype: torch.dtype
) -> tuple[Tensor, Rows, Rows]:
    """Of the shapes that `noise`, `encode`, `extras` and `shared` give."""

    def blank(*shape: int, kind: torch.dtype = dtype) -> Tensor:
        return torch.zeros(shape, device="meta", dtype=kind)

    places = grid[0] // 2 * (grid[1] // 2)  # four latents are packed into one
    made = {
        "encoder_hidden_states": blank(rows, TEXT_TOKENS, config.joint_attention_dim),
        "pooled_projections": blank(rows, config.pooled_projection_dim),
    }
    guidance = {"guidance": blank(rows, kind=torch.float32)} if config.guidance_embeds else {}
    shared = {"img_ids": blank(places, 3), "txt_ids": blank(TEXT_TOKENS, 3)}
    return blank(rows, places, config.in_channels), made | guidance, shared


FLUX = FamilySpec(
    pipelines=frozenset({"FluxPipeline"}),
    network="transformer",
    text_encoders=("text_encoder",),
    guided_above=unguided,
    renormalise=as_guided,
    has_zero_negative=never,
    encode=_encode,
    reader=_reader,
    extras=_extras,
    shared=_shared,
    call=_call,
    noise=_noise,
    timesteps=_timesteps,
    to_vae=_to_vae,
    from_vae=_from_vae,
    change=_change,
    skipped=flow.skipped,
    lora_options=_lora_options,
    blank_inputs=_blank_inputs,
)
