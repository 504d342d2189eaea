"""Other kinds than LoRA: the picture is PEFT's own, alone and among strangers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, inject_adapter_in_model
from safetensors.torch import save_file
from torch import nn

from adapters.base_models.architecture import layers_of_folder
from adapters.checks import inspection, lora_equivalents, rewrite
from adapters.checks.inspection import Base
from adapters.checks.rewrite import TensorSource
from adapters.formats.target_modules import Layout
from generation.engine.adapters import channel_vectors
from generation.engine.adapters.channel_vectors import ChannelChange
from generation.engine.adapters.lora_weights import LoraWeights
from generation.engine.jobs import AdapterNotLoadable, AdapterUse, RenderJob
from generation.engine.loading.loaded_model import LoadedModel
from tests.engine.rendering import SIDE, assert_same, denoise, job, pipeline

pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation"),
    pytest.mark.filterwarnings("ignore:.*Already found a `peft_config`"),
]
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.2", "proj_in"]
LINEARS = TARGETS[:-1]
KINDS: dict[str, Any] = {
    "loha": LoHaConfig(r=3, alpha=2, target_modules=TARGETS, init_weights=False),
    "dora": LoraConfig(r=4, lora_alpha=3, use_dora=True, target_modules=LINEARS),
    "lora with biases": LoraConfig(
        r=4, lora_alpha=2, lora_bias=True, target_modules=["to_out.0", "ff.net.2"]
    ),
    "loha of full rank": LoHaConfig(r=8, alpha=8, target_modules=TARGETS, init_weights=False),
    "lokr": LoKrConfig(r=2, alpha=2, target_modules=TARGETS, init_weights=False),
    "lokr of whole factors": LoKrConfig(r=64, alpha=64, target_modules=TARGETS, init_weights=False),
    "lokr of products": LoKrConfig(
        r=1, alpha=2, decompose_both=True, target_modules=TARGETS, init_weights=False
    ),
}


def drawn(pipe: Any, request: RenderJob) -> torch.Tensor:
    """Latents by a pipeline of diffusers as it stands."""
    with torch.inference_mode():
        latents: torch.Tensor = pipe(
            request.prompt,
            num_inference_steps=request.steps,
            guidance_scale=request.guidance,
            width=SIDE,
            height=SIDE,
            generator=torch.Generator().manual_seed(request.seed),
            output_type="latent",
        ).images
    return latents


def by_peft(folder: Path, config: Any, path: Path, request: RenderJob) -> torch.Tensor:
    """Its latents by diffusers' pipeline with PEFT's adapter in the network, saved to `path`."""
    torch.manual_seed(3)
    pipe = pipeline(folder)
    inject_adapter_in_model(config, pipe.unet)
    state: dict[str, torch.Tensor] = {}
    for name, tensor in pipe.unet.state_dict().items():
        if ".default" not in name:
            continue
        if "magnitude" in name:
            tensor.mul_(1 + torch.rand(tensor.shape))
        elif isinstance(config, LoraConfig):
            tensor.copy_(torch.randn(tensor.shape) * 0.3)
        state[f"unet.{name.replace('.default', '')}"] = tensor.contiguous()
        if not isinstance(config, LoraConfig):
            state[f"unet.{name.rsplit('.', 2)[0]}.alpha"] = torch.tensor(float(config.alpha))
    state |= {
        f"{name.removesuffix('.lora_A.weight')}.alpha": torch.tensor(float(config.lora_alpha))
        for name in state
        if name.endswith(".lora_A.weight")
    }
    save_file(state, path)
    return drawn(pipe, request)


def uploaded(path: Path, folder: Path, *, family: str = "sd15") -> AdapterUse:
    """The file as an upload of it is kept."""
    base = Base("Tiny", Layout.of(family, layers_of_folder(folder)), 64)
    found = inspection.inspect(path, base=base)
    assert found.report.accepted, found.report.message
    made = rewrite.write(TensorSource.of(path, found), path.with_suffix(".kept.safetensors"))
    return AdapterUse(path.stem, made.path, 1.0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_picture_is_peft_s_alone_and_among_strangers(
    kind: str,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
    tmp_path: Path,
) -> None:
    path = tmp_path / "other.safetensors"
    theirs = by_peft(folders("sd"), KINDS[kind], path, job())
    model, use = load("sd"), uploaded(path, folders("sd"))
    mine = job(adapters=(use,))
    bare, alone = denoise(model, [job()])[0], denoise(model, [mine])[0]
    among = denoise(model, [job(seed=1), mine, job(seed=2, adapters=(adapter("sd"),))])[1]
    assert_same(alone.latents, theirs)
    assert_same(among.latents, theirs)
    assert (alone.latents - bare.latents).abs().mean() > 0.01


def dense(path: Path, *, weight: float, folder: Path, request: RenderJob) -> torch.Tensor:
    """Latents of diffusers' pipeline with LyCORIS' DoRA by columns written into the weights."""
    pipe = pipeline(folder)
    for (component, name), (down, up, magnitude) in COLUMNS.items():
        layer = getattr(pipe, component).get_submodule(name)
        adapted = layer.weight.data + 0.5 * up @ down
        adapted = adapted * (magnitude / adapted.norm(dim=0))
        layer.weight.data += weight * (adapted - layer.weight.data)
        if layer.bias is not None:
            layer.bias.data += weight * up[:, 0]
    return drawn(pipe, request)


ALPHAS = {"attn1.to_q": 4.0, "attn1.to_k": 4.0, "attn1.to_v": None, "attn1.to_out.0": 16.0}


def test_layers_without_an_alpha_keep_their_scale_beside_layers_that_have_one(
    load: Callable[..., LoadedModel], folders: Callable[[str], Path], tmp_path: Path
) -> None:
    """diffusers gives them the alpha that most others have; what was trained is BA itself."""
    torch.manual_seed(4)
    pipe, path, rank = pipeline(folders("sd")), tmp_path / "some.safetensors", 8
    state: dict[str, torch.Tensor] = {}
    for name, alpha in ALPHAS.items():
        layer = pipe.unet.get_submodule(f"down_blocks.0.attentions.0.transformer_blocks.0.{name}")
        sides = (rank, 16), (16, rank)  # in fp16's numbers, in which it is kept
        down, up = ((torch.randn(side) * 0.3).half().float() for side in sides)
        stem = f"lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_{name.replace('.', '_')}"
        state |= {f"{stem}.lora_down.weight": down, f"{stem}.lora_up.weight": up}
        if alpha is not None:
            state[f"{stem}.alpha"] = torch.tensor(alpha)
        layer.weight.data += (1 if alpha is None else alpha / rank) * up @ down
    save_file(state, path)
    [made] = denoise(load("sd"), [job(adapters=(uploaded(path, folders("sd")),))])
    assert_same(made.latents, drawn(pipe, job()))


def _columns() -> dict[tuple[str, str], tuple[torch.Tensor, torch.Tensor, torch.Tensor]]:
    draw = torch.Generator().manual_seed(5)
    block = "down_blocks.0.attentions.0.transformer_blocks.0"
    sizes = {
        ("unet", f"{block}.attn1.to_q"): (16, 16),
        ("unet", f"{block}.attn2.to_k"): (32, 16),
        ("unet", f"{block}.attn1.to_out.0"): (16, 16),
        ("text_encoder", "encoder.layers.0.self_attn.q_proj"): (32, 32),
    }
    return {
        place: (
            torch.randn(2, width, generator=draw),
            torch.randn(height, 2, generator=draw),
            torch.rand(width, generator=draw) + 0.5,
        )
        for place, (width, height) in sizes.items()
    }


COLUMNS = _columns()


@pytest.mark.parametrize("weight", [1.0, 0.6])
def test_dora_by_columns_is_the_dense_difference_alone_and_among_strangers(
    weight: float,
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    adapter: Callable[..., AdapterUse],
    tmp_path: Path,
) -> None:
    path = tmp_path / "columns.safetensors"
    state: dict[str, torch.Tensor] = {}
    for (component, name), (down, up, magnitude) in COLUMNS.items():
        prefix = "lora_unet_" if component == "unet" else "lora_te_text_model_"
        stem = f"{prefix}{name.replace('.', '_')}"
        state |= {
            f"{stem}.lora_down.weight": down,
            f"{stem}.lora_up.weight": up,
            f"{stem}.alpha": torch.tensor(1.0),
            f"{stem}.dora_scale": magnitude[None],
        }
        if "proj" in name or "out" in name:
            state[f"{stem}.diff_b"] = up[:, 0].contiguous()
    save_file(state, path)
    theirs = dense(path, weight=weight, folder=folders("sd"), request=job())
    model, use = load("sd"), uploaded(path, folders("sd"))
    mine = job(adapters=(AdapterUse(use.name, use.path, weight),))
    (alone,) = denoise(model, [mine])
    among = denoise(model, [job(seed=1), mine, job(seed=2, adapters=(adapter("sd"),))])[1]
    assert_same(alone.latents, theirs)
    assert_same(among.latents, theirs)


def test_magnitudes_and_a_bias_of_fused_layers_are_those_of_each(
    load: Callable[..., LoadedModel], folders: Callable[[str], Path], tmp_path: Path
) -> None:
    draw = torch.Generator().manual_seed(5)
    down, up = torch.randn(2, 32, generator=draw), torch.randn(96, 2, generator=draw)
    magnitude, bias = torch.rand(96, 1, generator=draw) + 0.5, torch.randn(96, generator=draw)
    stem, path = "lora_unet_double_blocks_0_img_attn_qkv", tmp_path / "fused.safetensors"
    parts = {"lora_down.weight": down, "lora_up.weight": up, "dora_scale": magnitude}
    save_file({f"{stem}.{name}": t for name, t in (parts | {"diff_b": bias}).items()}, path)
    use = uploaded(path, folders("flux"), family="flux")
    (ours,) = denoise(load("flux"), [job(adapters=(use,))])
    pipe = pipeline(folders("flux"))
    attention = pipe.transformer.transformer_blocks[0].attn
    for number, layer in enumerate((attention.to_q, attention.to_k, attention.to_v)):
        rows = slice(32 * number, 32 * (number + 1))
        adapted = layer.weight.data + up[rows] @ down
        layer.weight.data = adapted * (magnitude[rows] / adapted.norm(dim=1, keepdim=True))
        layer.bias.data += bias[rows]
    assert_same(ours.latents, drawn(pipe, job()))


@pytest.mark.parametrize("rows_kept", [0, 3])
@pytest.mark.parametrize("form", ["words", "vectors", "pixels"])
def test_channels_are_summed_by_row_whatever_the_layer(form: str, rows_kept: int) -> None:
    draw = torch.Generator().manual_seed(2)
    layer = nn.Conv2d(4, 6, 1) if form == "pixels" else nn.Linear(4, 6)
    layer.requires_grad_(False)
    shape = {"words": (2, 3, 4), "vectors": (2, 4), "pixels": (2, 4, 5, 5)}[form]
    spread = (2, -1, 1, 1) if form == "pixels" else (2, *[1] * (len(shape) - 2), -1)
    x = torch.randn(shape, generator=draw)
    bare = layer(x)
    lora = LoraWeights(
        {"it": layer},
        slots=2,
        rank=2,
        device=torch.device("cpu"),
        dtype=torch.float32,
        rows_kept=rows_kept,
    )
    changes = [
        ChannelChange(*(torch.randn(width, generator=draw) for width in (4, 6, 6))) for _ in "ab"
    ]
    for slot, change in enumerate(changes, 1):
        flat = lora.flatten({}, {"it": change})
        assert lora.channels_in(flat) == {"it"}
        lora.install(slot, flat, lora.layers_in(flat), lora.channels_in(flat))
    for rows in (((1, 1.0),), ((1, 0.5), (2, -2.0))), ((), ((2, 1.0),)):
        lora.wear(rows)
        totals = [
            torch.stack(
                [
                    sum((w * changes[slot - 1][side] for slot, w in row), torch.zeros(width))
                    for row in rows
                ]
            ).view(spread)
            for side, width in enumerate((4, 6, 6))
        ]
        inner, outer, shift = totals
        with torch.no_grad():
            weight = layer.weight
            scaled = x * (1 + inner)
            y = (
                nn.functional.conv2d(scaled, weight, layer.bias)
                if form == "pixels"
                else nn.functional.linear(scaled, weight, layer.bias)
            )
        torch.testing.assert_close(layer(x), y * (1 + outer) + shift, atol=1e-5, rtol=0)
    lora.wear(((), ()))
    assert torch.equal(layer(x), bare)


def test_rows_without_such_an_adapter_add_nothing_to_a_layer(
    load: Callable[..., LoadedModel],
    folders: Callable[[str], Path],
    tmp_path: Path,
    adapter: Callable[..., AdapterUse],
) -> None:
    """No row's LoRA costs more because another kind is in a slot."""
    path = tmp_path / "dora.safetensors"
    by_peft(folders("sd"), KINDS["dora"], path, job(steps=1))
    model, use = load("sd"), uploaded(path, folders("sd"))
    plain = job(adapters=(adapter("sd"),))
    before = denoise(model, [plain])[0]
    denoise(model, [job(adapters=(use,))])
    lora = model.loras["unet"]
    assert any(lora._scaled.values())
    after = denoise(model, [plain])[0]
    assert not any(lora._scaled.values())
    assert torch.equal(before.latents, after.latents)


@pytest.mark.parametrize("ranks", [(1, 1), (2, 3), (4, 40), (6, 2)])
@pytest.mark.parametrize("size", [(12, 20), (20, 12), (8, 8)])
def test_the_lora_of_a_loha_is_its_difference(
    ranks: tuple[int, int], size: tuple[int, int]
) -> None:
    draw = np.random.default_rng(1).standard_normal
    (out, width), (first, second) = size, ranks
    parts = {
        "hada_w1_a": draw((out, first)),
        "hada_w1_b": draw((first, width)),
        "hada_w2_a": draw((out, second)),
        "hada_w2_b": draw((second, width)),
    }
    down, up = lora_equivalents.pair("LoHa", parts)
    whole = (parts["hada_w1_a"] @ parts["hada_w1_b"]) * (parts["hada_w2_a"] @ parts["hada_w2_b"])
    np.testing.assert_allclose(up @ down, whole, atol=1e-12)
    told = lora_equivalents.ranks("LoHa", {name: part.shape for name, part in parts.items()})
    assert told == (len(down), first)


@pytest.mark.parametrize("first", [(4, 3), (3, 4), (4, 2, 4), (3, 9, 3)])
@pytest.mark.parametrize("second", [(5, 6), (6, 5), (6, 2, 5), (2, 8, 2)])
def test_the_lora_of_a_lokr_is_its_difference(
    first: tuple[int, ...], second: tuple[int, ...]
) -> None:
    draw = np.random.default_rng(1).standard_normal
    parts = {}
    for name, sides in (("lokr_w1", first), ("lokr_w2", second)):
        if len(sides) == 2:
            parts[name] = draw(sides)
        else:
            parts |= {f"{name}_a": draw(sides[:2]), f"{name}_b": draw(sides[1:])}
    wholes = [
        parts[name] if name in parts else parts[f"{name}_a"] @ parts[f"{name}_b"]
        for name in ("lokr_w1", "lokr_w2")
    ]
    down, up = lora_equivalents.pair("LoKr", parts)
    np.testing.assert_allclose(up @ down, np.kron(*wholes), atol=1e-12)
    ranks = lora_equivalents.ranks("LoKr", {name: part.shape for name, part in parts.items()})
    assert ranks.equal == len(down)
    assert ranks.trained == (second[1] if len(second) == 3 else first[1] if len(first) == 3 else 0)


@pytest.mark.parametrize("is_inner", [False, True])
def test_a_dora_of_lengths_of_nothing_leaves_them_nothing(is_inner: bool) -> None:
    weight = torch.eye(3)
    weight[1] = 0
    down, up = torch.zeros(2, 3), torch.zeros(3, 2)
    for length in (0.0, 2.0):
        magnitude = torch.full((3,), length)
        found = channel_vectors.dora(weight, torch.ones(3), down, up, magnitude, is_inner=is_inner)
        changed = found.change.inner if is_inner else found.change.outer
        assert changed.tolist() == [length - 1, 0, length - 1]
        assert all(part.isfinite().all() for part in (found.down, found.up, *found.change))


def test_factors_beyond_the_slot_s_numbers_are_told_when_it_is_filled() -> None:
    lora = LoraWeights(
        {"it": nn.Linear(4, 6)}, slots=1, rank=2, device=torch.device("cpu"), dtype=torch.float16
    )
    change = channel_vectors.nothing(torch.zeros(6, 4))
    with pytest.raises(AdapterNotLoadable):
        lora.flatten({}, {"it": change._replace(outer=torch.full((6,), 1e6))})
