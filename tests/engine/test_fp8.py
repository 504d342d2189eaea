"""FP8 weights: pictures stay close, adapters act beside them, and what cannot be had is said."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import UNet2DConditionModel
from torch import nn

from generation.engine.jobs import AdapterUse, Fp8NotPossible, RenderJob
from generation.engine.loading import loaded_model as models
from generation.engine.loading import memory_need, quantization
from generation.engine.loading.loaded_model import LoadedModel, Settings, assemble
from generation.engine.loading.quantization import FP8, FP8_DYNAMIC
from generation.engine.loop import pixels
from generation.engine.loop.engine import Engine
from tests.engine.rendering import SIDE, assert_same, denoise, job, pipeline

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]
FAMILIES = ["sd", "starter", "sdxl", "flux", "sd3", "z-image"]
GREY_LEVELS = 1.5  # of 255: mean difference of a pixel from the unquantised picture, at most
LEFT_ALONE = {
    "sd": ["time_embedding.linear_1", "mid_block.resnets.0.time_emb_proj"],
    "starter": ["time_embedding.linear_1", "mid_block.resnets.0.time_emb_proj"],
    "sdxl": ["time_embedding.linear_1", "add_embedding.linear_1"],
    "flux": [
        "x_embedder", "context_embedder", "time_text_embed.text_embedder.linear_1", "proj_out",
        "norm_out.linear", "transformer_blocks.0.norm1.linear",
        "single_transformer_blocks.0.norm.linear",
    ],
    "z-image": ["cap_embedder.1", "layers.0.adaLN_modulation.0", "all_final_layer.2-1.linear"],
    "sd3": ["context_embedder", "proj_out", "transformer_blocks.0.norm1_context.linear"],
}  # fmt: skip
QUANTISED = {
    "sd": "mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
    "starter": "mid_block.attentions.0.transformer_blocks.0.attn1.to_q",
    "sdxl": "mid_block.attentions.0.transformer_blocks.0.ff.net.2",
    "flux": "single_transformer_blocks.0.proj_out",
    "z-image": "layers.0.attention.to_q",
    "sd3": "transformer_blocks.0.attn2.to_q",
}


def decoded(model: LoadedModel, requests: list[RenderJob]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """[requests, H, W, 3] in grey levels."""
    done = denoise(model, requests)
    with torch.inference_mode():
        made = pixels.decode(model, [each.latents for each in done], done[0].size)
    return np.stack([np.asarray(picture, np.float64) for picture in made])


def stored_bytes(network: nn.Module) -> int:
    return sum(quantization.weight_bytes(p, torch.float32) for p in network.parameters())


@pytest.mark.parametrize("family", FAMILIES)
def test_pictures_stay_close_to_the_unquantised(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    requests = [job(seed=seed) for seed in range(4)]
    plain, fp8 = load(family), load(family, weights=FP8)
    difference = np.abs(decoded(plain, requests) - decoded(fp8, requests)).mean(axis=(1, 2, 3))
    assert difference.max() < GREY_LEVELS
    for one, other in zip(denoise(plain, requests), denoise(fp8, requests), strict=True):
        assert not torch.equal(one.latents, other.latents)


@pytest.mark.parametrize("family", FAMILIES)
def test_blocks_are_quantised_and_the_rest_is_left_alone(
    family: str, load: Callable[..., LoadedModel]
) -> None:
    plain, fp8 = load(family).network, load(family, weights=FP8).network
    weight = fp8.get_submodule(QUANTISED[family]).weight
    assert weight.qdata.dtype == torch.float8_e4m3fn
    assert weight.dtype == torch.float32
    chosen = quantization.layers_to_quantise(plain)
    before = dict(plain.named_parameters())
    for name, parameter in fp8.named_parameters():
        if name.removesuffix(".weight") not in chosen:
            assert type(parameter) is nn.Parameter, name
            assert torch.equal(parameter, before[name]), name
    assert not set(LEFT_ALONE[family]) & set(chosen)
    saved = sum(3 * each.weight.numel() - 4 * each.out_features for each in chosen.values())
    assert stored_bytes(plain) - stored_bytes(fp8) == saved


@pytest.mark.parametrize("family", FAMILIES)
def test_each_row_wears_its_own_adapter_and_gets_the_picture_it_gets_alone(
    family: str, load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    model, plain = load(family, weights=FP8), load(family)
    style, other = adapter(family, seed=1), adapter(family, seed=2)
    requests = [job(), job(adapters=(style,)), job(adapters=(other,)), job(adapters=(style, other))]
    together = [done.latents for done in denoise(model, requests)]
    for number, (request, batched) in enumerate(zip(requests, together, strict=True)):
        (alone,) = denoise(model, [request])
        assert_same(batched, alone.latents)
        # Same seed and prompt: the adapter alone makes the difference, a larger one than FP8 does.
        (unquantised,) = denoise(plain, [request])
        rounding = (batched - unquantised.latents).norm()
        apart = [(batched - row).norm() for at, row in enumerate(together) if at != number]
        assert min(apart) > 2 * rounding


def test_adapters_and_activations_are_bfloat16_beside_fp8(
    folders: Callable[[str], Path], adapter: Callable[..., AdapterUse]
) -> None:
    model = models.load(
        folders("flux"),
        settings=Settings(weights=FP8),
        device=torch.device("cpu"),
        dtype=torch.bfloat16,
    )
    layer = model.network.get_submodule(QUANTISED["flux"])
    seen: list[torch.dtype] = []
    layer.register_forward_hook(
        lambda _, inputs, output: seen.extend([inputs[0].dtype, output.dtype])
    )
    bare, dressed = denoise(model, [job(), job(adapters=(adapter("flux"),))])
    assert (model.dtype, model.loras["transformer"].dtype) == (torch.bfloat16, torch.bfloat16)
    assert set(seen) == {torch.bfloat16}
    assert layer.weight.qdata.dtype == torch.float8_e4m3fn
    assert torch.isfinite(dressed.latents).all()
    assert not torch.equal(bare.latents, dressed.latents)


def test_compiled_blocks_draw_the_same(
    load: Callable[..., LoadedModel], adapter: Callable[..., AdapterUse]
) -> None:
    requests = [job(), job(seed=8, adapters=(adapter("flux"),))]
    usual = denoise(load("flux", weights=FP8), requests)
    compiled = denoise(load("flux", weights=FP8, compiled_by="eager"), requests)
    for one, other in zip(usual, compiled, strict=True):
        assert_same(one.latents, other.latents)


def test_a_row_of_zeros_stays_zeros() -> None:
    network = nn.ModuleDict({"attn": nn.ModuleDict({"to_q": nn.Linear(16, 32, bias=False)})})
    layer = network.get_submodule("attn.to_q")
    weight = layer.get_parameter("weight").requires_grad_(False)
    weight[3] = 0
    quantization.quantise(network, torch.device("cpu"))
    out = layer(torch.ones(2, 16))
    assert torch.isfinite(out).all()
    assert out[:, 3].tolist() == [0, 0]
    assert (out[:, 4] != 0).all()


def test_a_pipeline_that_is_loaded_already_is_quantised_once(
    folders: Callable[[str], Path],
) -> None:
    pipe = pipeline(folders("sd"))
    first = assemble(pipe, Settings(weights=FP8))
    weight = first.network.get_submodule(QUANTISED["sd"]).weight
    second = assemble(pipe, Settings(weights=FP8))
    assert second.network.get_submodule(QUANTISED["sd"]).weight is weight


def test_a_picture_names_torchao_where_it_rounded_the_weights(
    load: Callable[..., LoadedModel], engines: Callable[[LoadedModel], Engine]
) -> None:
    versions = [
        engines(load("sd", weights=weights)).submit(job()).future.result(timeout=300)
        for weights in ("as_saved", FP8)
    ]
    assert ["torchao" in made.library_versions for made in versions] == [False, True]


def test_multiplying_in_fp8_is_refused_where_the_device_cannot(
    load: Callable[..., LoadedModel],
) -> None:
    with pytest.raises(Fp8NotPossible, match="capability 8.9"):
        load("flux", weights=FP8_DYNAMIC)


@pytest.mark.parametrize("family", FAMILIES)
def test_plan_counts_the_bytes_of_the_quantised_model(
    family: str, folders: Callable[[str], Path], load: Callable[..., LoadedModel]
) -> None:
    parts = memory_need.of_folder(folders(family))

    def plan(weights: str) -> memory_need.MemoryPlan:
        settings = Settings(weights=weights)
        return memory_need.plan(parts, settings=settings, size=(SIDE, SIDE), dtype=torch.float32)

    plain, fp8 = plan("as_saved"), plan(FP8)
    saved = stored_bytes(load(family).network) - stored_bytes(load(family, weights=FP8).network)
    assert plain.weights - fp8.weights == saved > 0
    assert plan(FP8_DYNAMIC) == fp8
    assert (fp8.text, fp8.slots, fp8.decoding) == (plain.text, plain.slots, plain.decoding)
    assert plan("as_saved") == plain  # the parts themselves stay as they were
    assert ("FP8" in str(fp8), "FP8" in str(plain)) == (True, False)


def test_a_forward_counts_the_weight_that_it_turns_back() -> None:
    network = nn.ModuleDict({"attn": nn.ModuleDict({"to_q": nn.Linear(1024, 1024, bias=False)})})
    network.to("meta", torch.bfloat16)
    quantization.quantise(network, torch.device("meta"))
    tokens = torch.zeros(1, 1, 1024, device="meta", dtype=torch.bfloat16)
    layer = network.get_submodule("attn.to_q")
    in_float32, in_bfloat16 = 4 * 1024**2, 2 * 1024**2
    assert memory_need.peak_bytes(lambda: layer(tokens)) >= in_float32 + in_bfloat16


def test_a_missing_torchao_is_named(
    folders: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "torchao"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torchao", None)
    settings, device = Settings(weights=FP8), torch.device("cpu")
    with pytest.raises(Fp8NotPossible, match="torchao, which is not installed") as refusal:
        models.load(folders("sd"), settings=settings, device=device, dtype=torch.float32)
    assert refusal.value.code == "fp8_not_possible"
    parts = memory_need.of_folder(folders("sd"))
    size = (SIDE, SIDE)
    with pytest.raises(Fp8NotPossible):
        memory_need.plan(parts, settings=settings, size=size, dtype=torch.float32)
    found = memory_need.smaller(
        parts, settings=Settings(), size=size, dtype=torch.float32, budget_bytes=1 << 40
    )
    assert found is not None
    assert not found.is_fp8


def test_a_network_without_such_linears_is_named() -> None:
    blocks = {"down_block_types": ("DownBlock2D",), "up_block_types": ("UpBlock2D",)}
    network = UNet2DConditionModel(
        block_out_channels=(16,), norm_num_groups=8, mid_block_type=None, **blocks
    )
    with pytest.raises(Fp8NotPossible, match="UNet2DConditionModel has no linear layer"):
        quantization.quantise(network, torch.device("cpu"))


def test_sides_that_fp8_kernels_do_not_take_are_left_alone() -> None:
    network = nn.ModuleDict({"attn": nn.ModuleDict({"to_q": nn.Linear(16, 24)})})
    assert quantization.layers_to_quantise(network) == {}


def test_other_weights_are_no_setting() -> None:
    with pytest.raises(ValueError, match="as_saved, fp8"):
        Settings(weights="int4")
