"""Group norms for a GPU are torch's own to within rounding."""

import pytest
import torch
from torch import nn

from generation.engine.loading import group_norms

LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_wide_norm_is_torchs_own_in_every_layout(
    dtype: torch.dtype, layout: torch.memory_format
) -> None:
    generator = torch.Generator().manual_seed(3)
    norm = nn.GroupNorm(8, 64).to(dtype).requires_grad_(False)
    norm.weight.normal_(1, 0.5, generator=generator)
    norm.bias.normal_(generator=generator)
    x = torch.randn(3, 64, 9, 7, generator=generator) * 2 + 3
    x = x.to(dtype).contiguous(memory_format=layout)
    expected = nn.functional.group_norm(
        x.double(), 8, norm.weight.double(), norm.bias.double(), norm.eps
    )
    as_torch = float((norm(x) - expected).abs().max())
    group_norms.widen(norm)
    made = norm(x)
    assert made.dtype == dtype
    assert made.is_contiguous(memory_format=layout)
    assert float((made - expected).abs().max()) < 2 * as_torch + 3e-6


def test_wide_norm_takes_a_row_of_tokens_as_attention_gives_them() -> None:
    norm, tokens = nn.GroupNorm(4, 16).requires_grad_(False), torch.randn(2, 10, 16)
    expected = norm(tokens.transpose(1, 2))
    group_norms.widen(norm)
    torch.testing.assert_close(norm(tokens.transpose(1, 2)), expected, atol=1e-5, rtol=0)


def test_a_flat_picture_is_no_nan() -> None:
    norm = nn.GroupNorm(4, 16).requires_grad_(False)
    group_norms.widen(norm)
    assert torch.isfinite(norm(torch.full((1, 16, 8, 8), 1000.0))).all()
