"""Stable Diffusion XL."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from generation.engine.families import latents, unet
from generation.engine.families.family import FamilySpec, Rows, Size, nothing_shared


def _encode(pipe: Any, texts: list[str]) -> Rows:
    embeds, _, pooled, _ = pipe.encode_prompt(
        texts,
        device=pipe.text_encoder.device,
        num_images_per_prompt=1,
        do_classifier_free_guidance=False,
    )
    return {"encoder_hidden_states": embeds, "text_embeds": pooled}


def _has_zero_negative(pipe: Any) -> bool:
    return bool(pipe.config.force_zeros_for_empty_prompt)


def _extras(pipe: Any, size: Size, guidance: float) -> Rows:
    width = pipe.text_encoder_2.config.projection_dim
    ids = pipe._get_add_time_ids(
        size, (0, 0), size, dtype=pipe.unet.dtype, text_encoder_projection_dim=width
    )
    return {"time_ids": ids.to(pipe.unet.device)} | unet.guidance_embedding(pipe, size, guidance)


def _lora_options(pipe: Any) -> dict[str, Any]:
    """Names of the original code's blocks are mapped by the U-Net's own layout."""
    return {"unet_config": pipe.unet.config}


def _call(network: Any, noisy: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    prediction: Tensor = network(
        noisy,
        timesteps,
        encoder_hidden_states=rows["encoder_hidden_states"],
        timestep_cond=rows.get("timestep_cond"),
        added_cond_kwargs={name: rows[name] for name in ("text_embeds", "time_ids")},
        return_dict=False,
    )[0]
    return prediction


SDXL = FamilySpec(
    pipelines=frozenset({"StableDiffusionXLPipeline"}),
    network="unet",
    text_encoders=("text_encoder", "text_encoder_2"),
    guided_above=unet.guided_above,
    renormalise=unet.renormalise,
    has_zero_negative=_has_zero_negative,
    encode=_encode,
    reader=unet.reader,
    extras=_extras,
    shared=nothing_shared,
    call=_call,
    noise=unet.noise,
    timesteps=unet.timesteps,
    to_vae=unet.to_vae,
    from_vae=unet.from_vae,
    change=latents.change,
    skipped=unet.skipped,
    lora_options=_lora_options,
    blank_inputs=unet.blank_inputs,
)
