"""Stable Diffusion 1 and 2, and the starter."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from generation.engine.families import latents, unet
from generation.engine.families.family import FamilySpec, Rows, never, no_options, nothing_shared


def _encode(pipe: Any, texts: list[str]) -> Rows:
    embeds, _ = pipe.encode_prompt(texts, pipe.text_encoder.device, 1, False)
    return {"encoder_hidden_states": embeds}


def _call(network: Any, noisy: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    prediction: Tensor = network(noisy, timesteps, return_dict=False, **rows)[0]
    return prediction


STABLE_DIFFUSION = FamilySpec(
    pipelines=frozenset({"StableDiffusionPipeline"}),
    network="unet",
    text_encoders=("text_encoder",),
    guided_above=unet.guided_above,
    renormalise=unet.renormalise,
    has_zero_negative=never,
    encode=_encode,
    reader=unet.reader,
    extras=unet.guidance_embedding,
    shared=nothing_shared,
    call=_call,
    noise=unet.noise,
    timesteps=unet.timesteps,
    to_vae=unet.to_vae,
    from_vae=unet.from_vae,
    change=latents.change,
    skipped=unet.skipped,
    lora_options=no_options,
    blank_inputs=unet.blank_inputs,
)
