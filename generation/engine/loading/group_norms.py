"""Group norms that use all of a GPU.

torch's own kernel reduces each group of each picture by one block, and wants channels before
pixels: with 32 groups that leaves three quarters of a large GPU idle, and where channels lie last
it costs a copy there and back. Here sums by channel are taken first, by as many blocks as there is
room for, in either layout. That is for the large pictures of a decoder: a network's are small, and
there the more launches cost what the sums gain (ADR 50).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WideGroupNorm(nn.GroupNorm):
    """`nn.GroupNorm` by `normalise`: the same but for rounding, and not for training."""

    def forward(self, input: Tensor) -> Tensor:
        return normalise(input, self.weight, self.bias, self.num_groups, self.eps)


def normalise(x: Tensor, weight: Tensor, bias: Tensor, groups: int, eps: float) -> Tensor:
    """`torch.nn.functional.group_norm` of [N, C, …], its sums in float32."""
    rows, channels = x.shape[:2]
    places = tuple(range(2, x.dim()))
    count = x.numel() // (rows * groups)
    sums = x.sum(places, dtype=torch.float32)
    squares = torch.linalg.vector_norm(x, dim=places, dtype=torch.float32).square()
    mean = sums.view(rows, groups, -1).sum(2, keepdim=True) / count
    square = squares.view(rows, groups, -1).sum(2, keepdim=True) / count
    spread = (square - mean * mean).clamp_min(0).add(eps).rsqrt()
    scale = spread * weight.float().view(groups, -1)
    shift = bias.float().view(groups, -1) - mean * scale
    shape = (rows, channels, *[1] * len(places))
    scale, shift = scale.view(shape), shift.view(shape)
    # One kernel that computes in float32 and never writes it.
    normal = torch.empty_like(x)
    torch.addcmul(shift, x, scale, out=normal)
    return normal


def widen(module: nn.Module) -> None:
    """Let the group norms of `module` be such ones; they are not for training."""
    for part in module.modules():
        if type(part) is nn.GroupNorm and part.affine:
            part.__class__ = WideGroupNorm
