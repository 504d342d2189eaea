"""Give a trained U-Net wider blocks that go on drawing what it drew.

Every new channel copies an old one of its own norm group, and what the copies feed is divided among
them unevenly, so that they can part while they train. Norm groups of joined channels no longer
match to the number, so the start is close, not equal.

Source: Chen, Goodfellow, Shlens, Net2Net, ICLR 2016, section 3.1 (Net2WiderNet).
"""

from __future__ import annotations

import math
import random
import re
from dataclasses import dataclass

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.embeddings import get_timestep_embedding
from torch import Tensor

GROUPS, HEADS = 16, 4
State = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Copies:
    """`source` [new]: the old channel that each new one copies; `share` [new]: its part of what
    that channel fed, 1 in sum over the copies of one channel."""

    source: Tensor
    share: Tensor


def copy_within(old: int, new: int, parts: int, rng: random.Random) -> Copies:
    """`old` channels in `parts` equal groups to `new` ones; copies stay in their group."""
    size, larger = old // parts, new // parts
    source, share = [], []
    for part in range(parts):
        picked = [index % size for index in range(larger)]
        weights = [rng.uniform(0.5, 1) for _ in picked]
        sums = [0.0] * size
        for index, weight in zip(picked, weights, strict=True):
            sums[index] += weight
        source += [part * size + index for index in picked]
        share += [weight / sums[index] for index, weight in zip(picked, weights, strict=True)]
    return Copies(torch.tensor(source), torch.tensor(share))


def _joined(first: Copies, second: Copies, width: int) -> Copies:
    """The copies of two widths one after the other; `width` is the first one's old width."""
    return Copies(
        torch.cat([first.source, second.source + width]), torch.cat([first.share, second.share])
    )


def _doubled(copies: Copies, width: int) -> Copies:
    return _joined(copies, copies, width)


class Grower:
    """Knows for each weight of the U-Net which channels go in and come out."""

    def __init__(self, old: tuple[int, ...], new: tuple[int, ...], seed: int = 0) -> None:
        rng = random.Random(seed)
        pairs = list(zip(old, new, strict=True))
        self._old, self._new = old, new
        self._channels = [copy_within(a, b, GROUPS, rng) for a, b in pairs]
        self._heads = [copy_within(a, b, HEADS, rng) for a, b in pairs]
        self._inner = [copy_within(4 * a, 4 * b, 1, rng) for a, b in pairs]
        self._time = copy_within(4 * old[0], 4 * new[0], 1, rng)
        self._hidden = copy_within(4 * old[0], 4 * new[0], 1, rng)

    def _level(self, name: str) -> int:
        block = re.match(r"(down|up)_blocks\.(\d)", name)
        if block is None:
            return 2 if name.startswith("mid") else 0
        return int(block[2]) if block[1] == "down" else 2 - int(block[2])

    def _resnet_input(self, name: str) -> Copies:
        """What the first norm and convolution of a resnet read; going up, two widths joined."""
        level, number = self._level(name), int(re.search(r"resnets\.(\d)", name)[1])  # type: ignore[index]  # the callers' names have it
        if name.startswith("down"):
            return self._channels[max(level - 1, 0)]
        if name.startswith("mid"):
            return self._channels[level]
        hidden = min(level + 1, 2) if number == 0 else level
        skipped = level if number == 0 else max(level - 1, 0)
        return _joined(self._channels[hidden], self._channels[skipped], self._old[hidden])

    def _in_attention(self, name: str, weight: Tensor) -> tuple[Copies, Copies | None]:
        level = self._level(name)
        channels, heads, inner = self._channels[level], self._heads[level], self._inner[level]
        if "attn2.to_k" in name or "attn2.to_v" in name:
            return heads, None
        if re.search(r"to_[qkv]\.", name):
            return heads, channels
        if "to_out" in name:
            return channels, heads
        if "ff.net.0" in name:
            return _doubled(inner, 4 * self._old[level]), channels
        if "ff.net.2" in name:
            return channels, inner
        return channels, channels

    def _ways(self, name: str, weight: Tensor) -> tuple[Copies | None, Copies | None]:
        """Copies of the outputs and of the inputs of one weight; None where they stay."""
        level = self._level(name)
        if ".attentions." in name:
            return self._in_attention(name, weight)
        if "time_emb_proj" in name:
            return _doubled(self._channels[level], self._old[level]), self._time
        if "norm1" in name or "conv1" in name or "conv_shortcut" in name:
            read = self._resnet_input(name)
            return (read, None) if "norm1" in name else (self._channels[level], read)
        if name.startswith("time_embedding.linear_2"):
            return self._time, self._hidden
        if name.startswith("conv_in"):
            return self._channels[0], None
        if name.startswith("conv_out"):
            return None, self._channels[0]
        return self._channels[level], self._channels[level]

    def grow(self, name: str, weight: Tensor) -> Tensor:
        """The weight of the wider network under the same name."""
        if name.startswith("time_embedding.linear_1"):
            return self._first_of_time(name, weight)
        if name.startswith("add_embedding.proj") or name.startswith("add_embedding.norm2"):
            return weight[self._time.source]
        if name.startswith("add_embedding"):
            return weight
        outputs, inputs = self._ways(name, weight)
        if outputs is not None:
            weight = weight[outputs.source]
        if inputs is not None and weight.ndim > 1:
            share = inputs.share.view(1, -1, *[1] * (weight.ndim - 2))
            weight = weight[:, inputs.source] * share
        if re.search(r"to_q\.", name) and outputs is not None:
            level = self._level(name)  # copies add to the scores, which are divided by a new width
            scale = math.sqrt(self._new[level] / self._old[level])
            weight = weight * (outputs.share * scale).view(-1, *[1] * (weight.ndim - 1))
        return weight

    def _first_of_time(self, name: str, weight: Tensor) -> Tensor:
        """The old sinusoids as a linear map of the new ones, then copies of the outputs."""
        if weight.ndim > 1:
            times = torch.arange(1000)
            old, new = (_sinusoids(times, width) for width in (self._old[0], self._new[0]))
            weight = weight @ torch.linalg.lstsq(new, old).solution.T.float()
        return weight[self._hidden.source]


def _sinusoids(times: Tensor, width: int) -> Tensor:
    made = get_timestep_embedding(times, width, flip_sin_to_cos=True, downscale_freq_shift=0)
    doubles: Tensor = made.double()
    return doubles


def grow(old: UNet2DConditionModel, blocks: tuple[int, int, int]) -> State:
    """The state of a U-Net with `blocks` that draws nearly what `old` draws."""
    grower = Grower(tuple(old.config.block_out_channels), blocks)
    return {name: grower.grow(name, weight) for name, weight in old.state_dict().items()}
