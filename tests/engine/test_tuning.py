"""Compiling, memory layout and attention change the speed and not the picture."""

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from torch import Tensor

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loading.loaded_model import LoadedModel
from tests.engine.rendering import assert_same, denoise, job

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]
TUNINGS: dict[str, dict[str, Any]] = {
    "channels_last": {"is_channels_last": True},
    "plain_attention": {"has_fused_attention": False},
    "cuda_graphs": {"has_cuda_graphs": True},  # which a CPU has not: see test_cuda.py
    "compiled": {"compiled_by": "eager"},  # traced like by inductor, which needs a C++ compiler
}


def _cases() -> Iterator[pytest.ParameterSet]:
    """Compiling is traced for each family, number of rows and adapter anew: sd stands for all."""
    for family, tuning in product(("sd", "sdxl", "flux"), TUNINGS):
        is_slow = tuning == "compiled" and family != "sd"
        yield pytest.param(family, tuning, marks=[pytest.mark.slow] if is_slow else [])


@pytest.fixture(scope="module")
def untuned() -> dict[str, list[Tensor]]:
    """By family, what the untuned model draws: the same for each tuning, so drawn once."""
    return {}


def drawn(model: LoadedModel, batches: list[list[RenderJob]]) -> list[Tensor]:
    """The latents of all batches, one batch after the other."""
    return [each.latents.clone() for batch in batches for each in denoise(model, batch)]


@pytest.mark.parametrize(("family", "tuning"), list(_cases()))
def test_picture_stays_the_same_bare_and_dressed_in_changing_batches(
    family: str,
    tuning: str,
    untuned: dict[str, list[Tensor]],
    load: Callable[..., LoadedModel],
    adapter: Callable[..., AdapterUse],
) -> None:
    tuned = load(family, **TUNINGS[tuning])
    style, other = adapter(family, seed=1), adapter(family, seed=2)
    batches: list[list[RenderJob]] = [
        [job(seed=1)],
        [job(seed=2, adapters=(style,)), job(seed=3)],
        [
            job(seed=4, adapters=(other,)),
            job(seed=5, adapters=(style, other)),
            job(seed=6, steps=2),
        ],
        [job(seed=7)],
    ]
    if family not in untuned:
        untuned[family] = drawn(load(family), batches)
    for usual, made in zip(untuned[family], drawn(tuned, batches), strict=True):
        assert_same(usual, made)
