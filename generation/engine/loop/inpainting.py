"""Rows of which a part stays as it was: after each step that part is put back.

A place is painted anew from the step on at which its share of the mask has been reached: all of it
from the first, so a mask of black and white is plain inpainting (RePaint, arXiv 2201.09865, as
diffusers' pipelines do it), and one with grey is differential diffusion (arXiv 2306.00950).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from generation.engine.loop.trajectory import Trajectory

LEAST = torch.finfo(torch.float32).tiny


@dataclass(frozen=True, slots=True, eq=False)
class Painting:
    """Float32 [1, …]: `kept` the latents of the picture, `noise` the row's own first, `change` the
    mask in [0, 1] that multiplies latents."""

    kept: Tensor
    noise: Tensor
    change: Tensor


class PaintedRows:
    """Those of a batch's members that have a painting; the others are not touched."""

    def __init__(self, members: Sequence[Trajectory]) -> None:
        found = [(place, m, m.painting) for place, m in enumerate(members) if m.painting]
        self._places = [place for place, _, _ in found]
        self._members = [member for _, member, _ in found]
        if found:
            self._kept = torch.cat([painting.kept for *_, painting in found])
            self._noise = torch.cat([painting.noise for *_, painting in found])
            self._change = torch.cat([painting.change for *_, painting in found])

    def put_back(self, stepped: Tensor) -> Tensor:
        """`stepped` [members, …] after a step that is not counted yet, the parts that stay as the
        schedule would have them: the picture with the row's noise, in the end the picture alone."""
        if not self._places:
            return stepped
        shape = (-1, *[1] * (stepped.dim() - 1))
        mixtures = torch.stack([m.schedule.mixtures[m.step] for m in self._members])
        noise, kept = (part.view(shape) for part in mixtures.to(stepped.device).unbind(1))
        least = torch.tensor([_least(m) for m in self._members], device=stepped.device)
        is_anew = self._change >= least.view(shape)
        stays = kept * self._kept + noise * self._noise
        stepped[self._places] = torch.where(is_anew, stepped[self._places], stays)
        return stepped


def _least(member: Trajectory) -> float:
    """The share of the mask from which on a place is painted anew once this step is done."""
    return max(LEAST, 1 - (member.step + 1) / len(member.schedule))
