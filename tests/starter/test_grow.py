"""A grown U-Net goes on with what the small one knew."""

from __future__ import annotations

import torch

from generation.starter.networks.stock_networks import build_unet
from generation.starter.networks.widening import grow

SMALL = (32, 64, 64)


@torch.inference_mode()
def _error(blocks: tuple[int, int, int]) -> float:
    """Root mean square of what changed, as a share of what the small network says."""
    torch.manual_seed(0)
    old, new = build_unet(SMALL, width=32).eval(), build_unet(blocks, width=32).eval()
    for parameter in old.parameters():
        parameter.add_(0.05 * torch.randn_like(parameter))
    new.load_state_dict(grow(old, blocks))
    noisy, states = torch.randn(2, 16, 16, 16), torch.randn(2, 8, 32)
    times = torch.tensor([900, 100])
    said, says = (net(noisy, times, states, return_dict=False)[0] for net in (old, new))
    return float((says - said).square().mean().sqrt() / said.square().mean().sqrt())


def test_the_same_width_changes_nothing() -> None:
    assert _error(SMALL) < 1e-5


def test_doubled_blocks_say_nearly_the_same() -> None:
    assert _error((32, 128, 128)) < 0.15
