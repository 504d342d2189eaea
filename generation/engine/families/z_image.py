"""Z-Image: one stream of image and text, read by a language model."""

from __future__ import annotations

from typing import Any

import torch
from diffusers.pipelines.z_image.pipeline_z_image import get_default_z_image_sigmas
from torch import Tensor

from generation.engine.families import flow, latents, padded_text
from generation.engine.families.family import (
    TEXT,
    FamilySpec,
    Rows,
    Size,
    as_guided,
    never,
    no_extras,
    no_options,
    nothing_shared,
)
from generation.engine.families.padded_text import STEP, WORDS
from generation.engine.families.prompt_chunks import ChunkReader

TEXT_TOKENS = 512
PATCH = "2-1"  # two latents a side, one picture


def _encode(pipe: Any, texts: list[str]) -> Rows:
    read, _ = pipe.encode_prompt(
        list(texts),  # it writes its template into them
        device=pipe.text_encoder.device,
        do_classifier_free_guidance=False,
        max_sequence_length=TEXT_TOKENS,
    )
    return padded_text.stacked(read)


def _reader(pipe: Any) -> ChunkReader:
    """What the template leaves of the tokens; a language model's have no weights."""
    template = pipe.tokenizer.apply_chat_template(
        [{"role": "user", "content": ""}],
        tokenize=False,
        add_generation_prompt=True,
        enable_thinking=True,
    )
    taken = len(pipe.tokenizer(template).input_ids)
    return ChunkReader(pipe.tokenizer, TEXT_TOKENS - taken, most=1, is_weighted=False)


def _guided_above(pipe: Any) -> float:
    """The difference is added g times, where others add it g - 1 times."""
    return 0.0


def _call(network: Any, noisy: Tensor, timesteps: Tensor, rows: Rows, shared: Rows) -> Tensor:
    """`ZImageTransformer2DModel.forward` for rows of one padded length: what is padding is told by
    masks alone, so that no length is read back from the device or kept by a graph."""
    count, channels, height, width = noisy.shape
    time = network.t_embedder((1 - timesteps / 1000) * network.t_scale).type_as(noisy)
    picture = noisy.view(count, channels, height // 2, 2, width // 2, 2)
    picture = picture.permute(0, 2, 4, 3, 5, 1).reshape(count, -1, 4 * channels)
    tokens = picture.shape[1]
    blanks = network.x_pad_token.expand(count, -tokens % STEP, -1)
    picture = torch.cat([network.all_x_embedder[PATCH](picture), blanks], dim=1)
    words = rows[WORDS]
    text = torch.where(words[..., None], network.cap_embedder(rows[TEXT]), network.cap_pad_token)
    length = -(-words.sum(1, keepdim=True) // STEP) * STEP
    is_read = torch.arange(text.shape[1], device=text.device) < length
    places = _places(length, (height // 2, width // 2), picture.shape[1])
    picture_at, text_at = (_turned(network, at) for at in (places, _text_places(text)))
    for layer in network.noise_refiner:
        picture = layer(picture, None, picture_at, time)
    for layer in network.context_refiner:
        text = layer(text, is_read, text_at.expand(count, -1, -1))
    both = torch.cat([picture, text], dim=1)
    both_at = torch.cat([picture_at, text_at.expand(count, -1, -1)], dim=1)
    is_there = torch.cat([is_read.new_ones(count, picture.shape[1]), is_read], dim=1)
    for layer in network.layers:
        both = layer(both, is_there, both_at, time)
    drawn = network.all_final_layer[PATCH](both, c=time)[:, :tokens]
    drawn = drawn.view(count, height // 2, width // 2, 2, 2, channels)
    predicted: Tensor = -drawn.permute(0, 5, 1, 3, 2, 4).reshape(noisy.shape)
    return predicted


def _places(length: Tensor, grid: Size, tokens: int) -> Tensor:
    """Of a picture behind its text [rows, tokens, 3]; the blanks at its end lie nowhere."""
    rows, columns = (torch.arange(side, device=length.device) for side in grid)
    row, column = torch.meshgrid(rows, columns, indexing="ij")
    places = length.new_zeros(len(length), tokens, 3)
    count = row.numel()
    places[:, :count, 0] = length + 1
    places[:, :count, 1] = row.flatten()
    places[:, :count, 2] = column.flatten()
    return places


def _text_places(text: Tensor) -> Tensor:
    places = torch.zeros(1, text.shape[1], 3, device=text.device, dtype=torch.long)
    places[..., 0] = torch.arange(1, text.shape[1] + 1, device=text.device)
    return places


def _turned(network: Any, places: Tensor) -> Tensor:
    turned: Tensor = network.rope_embedder(places.flatten(0, 1))
    return turned.view(*places.shape[:2], -1)


def _noise(pipe: Any, size: Size, generator: torch.Generator) -> Tensor:
    return latents.noise(pipe, size, generator, pipe.transformer.config.in_channels)


def _timesteps(pipe: Any, steps: int, first: Tensor) -> dict[str, Any]:
    tokens = (first.shape[-2] // 2) * (first.shape[-1] // 2)
    sigmas = get_default_z_image_sigmas(steps)
    return {"sigmas": sigmas, "mu": flow.shift(pipe, tokens)}


def _blank_inputs(
    config: Any, grid: Size, rows: int, dtype: torch.dtype
) -> tuple[Tensor, Rows, Rows]:
    with torch.device("meta"):
        text = torch.zeros(rows, TEXT_TOKENS, config.cap_feat_dim, dtype=dtype)
        words = torch.ones(rows, TEXT_TOKENS, dtype=torch.bool)
        drawn = torch.zeros(rows, config.in_channels, *grid, dtype=dtype)
    return drawn, {TEXT: text, WORDS: words}, {}


Z_IMAGE = FamilySpec(
    pipelines=frozenset({"ZImagePipeline"}),
    network="transformer",
    text_encoders=(),
    guided_above=_guided_above,
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
