"""What only a GPU can show: forwards replayed as graphs, and linears that multiply in FP8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loading import group_norms
from generation.engine.loading import loaded_model as models
from generation.engine.loading.cuda_graphs import Graphs
from generation.engine.loading.loaded_model import LoadedModel, Settings
from generation.engine.loading.quantization import FP8_DYNAMIC
from generation.engine.loop.engine import GPU_BATCH_SIZES, Engine
from tests.engine.rendering import denoise, job

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]
FAMILIES = ["sd", "sdxl", "flux"]


@pytest.fixture
def load_there(folders: Callable[[str], Path]) -> Callable[..., LoadedModel]:
    def load(family: str, dtype: torch.dtype = torch.float32, **settings: Any) -> LoadedModel:
        return models.load(
            folders(family),
            settings=Settings(**({"batch_sizes": GPU_BATCH_SIZES} | settings)),
            device=torch.device("cuda"),
            dtype=dtype,
        )

    return load


def batches(family: str, adapter: Callable[..., AdapterUse]) -> list[list[RenderJob]]:
    style, other = adapter(family, seed=1), adapter(family, seed=2, weight=0.5)
    return [
        [job(seed=1)],
        [job(seed=2, adapters=(style,)), job(seed=3)],
        [
            job(seed=4, adapters=(other,)),
            job(seed=5, adapters=(style, other)),
            job(seed=6, steps=2),
        ],
        [job(seed=7, adapters=(other,)), job(seed=8)],
        [job(seed=9)],
    ]


@pytest.mark.parametrize("family", FAMILIES)
def test_replayed_forwards_draw_what_launched_ones_draw(
    family: str, load_there: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    plain, replayed = load_there(family), load_there(family, has_cuda_graphs=True)
    assert isinstance(replayed.graphs, Graphs)
    for _ in range(2):
        for batch in batches(family, adapter):
            for one, other in zip(denoise(plain, batch), denoise(replayed, batch), strict=True):
                near = 1e-4 * float(one.latents.abs().max())
                torch.testing.assert_close(other.latents, one.latents, atol=near, rtol=0)
    assert replayed.graphs.captured >= 4  # by rows, and by how many adapters a row may wear


def test_a_forward_that_cannot_be_captured_goes_on_without_a_graph(
    load_there: Callable[..., LoadedModel], caplog: pytest.LogCaptureFixture
) -> None:
    model = load_there("sd", has_cuda_graphs=True)
    hook = model.network.register_forward_pre_hook(lambda *_: torch.cuda.synchronize())
    [refused] = denoise(model, [job()])
    hook.remove()
    [usual] = denoise(load_there("sd"), [job()])
    near = 1e-4 * float(usual.latents.abs().max())
    torch.testing.assert_close(refused.latents, usual.latents, atol=near, rtol=0)
    assert model.graphs is not None
    assert model.graphs.captured == 0
    assert "could not be captured" in caplog.text


@pytest.mark.parametrize("family", FAMILIES)
def test_linears_that_multiply_in_fp8_draw_nearly_the_same(
    family: str, load_there: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    requests = [job(seed=1), job(seed=2, adapters=(adapter(family, seed=1),))]
    plain = denoise(load_there(family, torch.bfloat16), requests)
    rounded = denoise(load_there(family, torch.bfloat16, weights=FP8_DYNAMIC), requests)
    for one, other in zip(plain, rounded, strict=True):
        assert 0 < (one.latents - other.latents).norm() < 0.1 * one.latents.norm()


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_wide_norms_are_torchs_own(layout: torch.memory_format) -> None:
    norm = nn.GroupNorm(32, 128).to("cuda", torch.bfloat16)
    for rows in (1, 3):
        x = torch.randn(rows, 128, 64, 48, device="cuda") * 3 + 5
        x = x.bfloat16().contiguous(memory_format=layout)
        expected = nn.functional.group_norm(x.double(), 32, eps=norm.eps)
        group_norms.widen(norm)
        with torch.inference_mode():
            made = norm(x)
        assert made.dtype == x.dtype
        assert made.is_contiguous(memory_format=layout)
        torch.testing.assert_close(made.double(), expected, atol=0.02, rtol=0.01)


def test_pictures_are_decoded_beside_the_next_ones(
    load_there: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    engine = engines(load_there("sd", torch.bfloat16, has_cuda_graphs=True))
    tickets = [engine.submit(job(seed=seed)) for seed in range(24)]
    pictures = [ticket.future.result(timeout=60).pixels for ticket in tickets]
    again = engine.submit(job(seed=0)).future.result(timeout=60).pixels
    assert len({picture.tobytes() for picture in pictures}) == 24
    assert abs(pictures[0].astype(int) - again.astype(int)).mean() < 2
