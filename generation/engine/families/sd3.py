"""Stable Diffusion 3 and 3.5: a transformer over latents, its text of two CLIPs and a T5."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from generation.engine.families import flow, latents
from generation.engine.families.family import (
    FamilySpec,
    Rows,
    Size,
    as_guided,
    never,
    no_extras,
    no_options,
    nothing_shared,
    plainly_guided,
)
from generation.engine.families.prompt_chunks import ChunkReader

CLIP_TOKENS, T5_TOKENS = 77, 256


def _encode(pipe: Any, texts: list[str]) -> Rows:
    embeds, _, pooled, _ = pipe.encode_prompt(
        texts, None, None, device=pipe.text_encoder.device, do_classifier_free_guidance=False
    )
    return {"encoder_hidden_states": embeds, "pooled_projections": pooled}


def _reader(pipe: Any) -> ChunkReader:
    """T5's, which reads the most, with CLIP's vectors before its own; some folders leave T5 out."""
    if pipe.tokenizer_3 is None:
        return ChunkReader(pipe.tokenizer, CLIP_TOKENS, most=1)
    return ChunkReader(pipe.tokenizer_3, T5_TOKENS, 1, (pipe.tokenizer, CLIP_TOKENS))


def _call(network: Any, noisy: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    prediction: Tensor = network(noisy, timestep=timesteps, return_dict=False, **rows)[0]
    return prediction


def _noise(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    return latents.noise(pipe, size, generator, pipe.transformer.config.in_channels)


def _timesteps(pipe: Any, steps: int, first: Tensor) -> dict[str, Any]:
    """Shifted by the picture's size only where the scheduler says so."""
    options: dict[str, Any] = {"num_inference_steps": steps}
    if pipe.scheduler.config.use_dynamic_shifting:
        patch = pipe.transformer.config.patch_size
        tokens = (first.shape[-2] // patch) * (first.shape[-1] // patch)
        options["mu"] = flow.shift(pipe, tokens, highest=1.16)
    return options


def _blank_inputs(
    config: Any, grid: Size, rows: int, dtype: torch.dtype
) -> tuple[Tensor, Rows, Rows]:
    def blank(*shape: int) -> Tensor:
        return torch.zeros(rows, *shape, device="meta", dtype=dtype)

    text = blank(CLIP_TOKENS + T5_TOKENS, config.joint_attention_dim)
    made = {
        "encoder_hidden_states": text,
        "pooled_projections": blank(config.pooled_projection_dim),
    }
    return blank(config.in_channels, *grid), made, {}


SD3 = FamilySpec(
    pipelines=frozenset({"StableDiffusion3Pipeline"}),
    network="transformer",
    text_encoders=("text_encoder", "text_encoder_2"),
    guided_above=plainly_guided,
    renormalise=as_guided,
    has_zero_negative=never,
    encode=_encode,
    reader=_reader,
    extras=no_extras,
    shared=nothing_shared,
    call=_call,
    noise=_noise,
    timesteps=_timesteps,
    to_vae=latents.unshifted,
    from_vae=latents.shifted,
    change=latents.change,
    skipped=flow.skipped,
    lora_options=no_options,
    blank_inputs=_blank_inputs,
)
