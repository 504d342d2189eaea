"""What differs between the families of models; everything else is one engine.

A *row* is one call's worth of conditioning for one image: named tensors [1, …] that are stacked
to a batch. What all rows of a bucket have in common (position ids) is passed unstacked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import torch
from torch import Tensor

from generation.engine.families.prompt_chunks import ChunkReader

Rows = dict[str, Tensor]
TEXT = "encoder_hidden_states"  # of a row: [1, tokens, width]
Size = tuple[int, int]  # height and width in the VAE's pixels


@dataclass(frozen=True, slots=True)
class FamilySpec:
    """What the engine asks a family of models for.

    `encode(pipe, texts)` gives their rows [texts, …], in `TEXT` a vector for each token;
    `reader(pipe)` tells how much of a prompt that is; `extras(pipe, size, guidance)` what a row
    needs beside it; `shared(pipe, size)` what a bucket shares; `call(network, latents, timesteps,
    rows, shared)` is one forward; `noise` the first latents [1, …]; `timesteps` the options of
    `set_timesteps`; `to_vae` what the VAE decodes, `from_vae` float32 latents of a picture [1, 3,
    H, W] in [-1, 1]; `change(pipe, mask, size)` a mask [1, 1, H, W] in [0, 1] as it multiplies
    latents; `skipped(steps, strength)` the steps that are left out when one is started
    from; `lora_options` diffusers' own for reading a LoRA file; `blank_inputs(config, grid, rows,
    dtype)` latents, rows and what is shared of a forward with so many rows over a grid of latents
    (height and width), on the meta device, by the network's configuration. Above
    `guided_above(pipe)`, a guidance g costs a second row: the prediction is then that of the prompt
    and g less that limit times its difference from the second row's. `renormalise(guided, prompt's,
    shares)` is what is done to it last, the shares being each job's `guidance_rescale`.
    `has_zero_negative(pipe)` says that the second row is zeros when there is no negative prompt.
    """

    pipelines: frozenset[str]
    network: str
    text_encoders: tuple[str, ...]
    encode: Callable[[Any, list[str]], Rows]
    reader: Callable[[Any], ChunkReader]
    guided_above: Callable[[Any], float]
    renormalise: Callable[[Tensor, Tensor, Sequence[float]], Tensor]
    has_zero_negative: Callable[[Any], bool]
    extras: Callable[[Any, Size, float], Rows]
    shared: Callable[[Any, Size], Rows]
    call: Callable[[Any, Tensor, Tensor, Rows, Rows], Tensor]
    noise: Callable[[Any, Size, torch.Generator], Tensor]
    timesteps: Callable[[Any, int, Tensor], dict[str, Any]]
    to_vae: Callable[[Any, Tensor, Size], Tensor]
    from_vae: Callable[[Any, Tensor, torch.Generator], Tensor]
    change: Callable[[Any, Tensor, Size], Tensor]
    skipped: Callable[[int, float], int]
    lora_options: Callable[[Any], dict[str, Any]]
    blank_inputs: Callable[[Any, Size, int, torch.dtype], tuple[Tensor, Rows, Rows]]


def as_guided(guided: Tensor, positive: Tensor, shares: Sequence[float]) -> Tensor:
    """Of a family that leaves guided predictions as they are."""
    return guided


def unguided(pipe: Any) -> float:
    """Of a family whose guidance takes no second row."""
    return inf


def plainly_guided(pipe: Any) -> float:
    """Of a family with classifier-free guidance as it was published."""
    return 1.0


def no_extras(pipe: Any, size: Size, guidance: float) -> Rows:
    """Of a family whose rows are their text alone."""
    return {}


def nothing_shared(pipe: Any, size: Size) -> Rows:
    """Of a family whose rows have all that a forward needs."""
    return {}


def never(pipe: Any) -> bool:
    """Of a family whose empty negative prompt is read like any other."""
    return False


def no_options(pipe: Any) -> dict[str, Any]:
    """Of a family whose LoRA files need none to be read."""
    return {}
