"""The canonical form means what diffusers means by the original: bit for bit, up to the cast."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import StableDiffusionPipeline
from diffusers.loaders.lora_conversion_utils import (
    _convert_kohya_flux_lora_to_diffusers,
    _convert_xlabs_flux_lora_to_diffusers,
)
from peft.tuners.lora import LoraLayer
from safetensors.torch import load_file

from adapters.base_models.architecture import layers_of_folder
from adapters.checks import inspection, rewrite
from adapters.checks.inspection import Base
from adapters.checks.rewrite import Canonical, TensorSource
from adapters.formats import safetensors_header
from adapters.formats.target_modules import Layout
from tests import tiny_pipeline
from tests.adapters import vectors
from tests.adapters.files import arrays, write
from tests.adapters.vectors import OLD, PEFT, pair

Q, OUT = (
    f"down_blocks.0.attentions.0.transformer_blocks.0.attn1.{name}" for name in ("to_q", "to_out.0")
)
PROJ = "down_blocks.0.attentions.0.proj_in"
FF = "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"
# diffusers tells the age of a text encoder's names by its output projection: it must be there.
TEXT_OUT = "text_model.encoder.layers.0.self_attn.out_proj"


@pytest.fixture(scope="module")
def base(tiny_folder: Path) -> Base:
    return Base("Tiny", Layout.of("sd15", layers_of_folder(tiny_folder)), 64)


@pytest.fixture(scope="module")
def pipe(tiny_folder: Path) -> Any:
    loaded = StableDiffusionPipeline.from_pretrained(tiny_folder, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def convert(path: Path, base: Base, *, rank: int | None = None) -> Canonical:
    found = inspection.inspect(path, base=base if rank is None else Base("", base.layout))
    assert found.report.accepted, found.report.message
    assert found.header is not None
    source = TensorSource(path, found.header, found.modules)
    return rewrite.write(source, path.with_suffix(".canonical.safetensors"), rank=rank)


def loaded(pipe: Any, path: Path) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """`lora_A` and scaled `lora_B` of every layer, as diffusers' own loader sets them up."""
    try:
        pipe.load_lora_weights(str(path.parent), weight_name=path.name, adapter_name="probe")
        return {
            f"{name}.{layer_name}": (
                layer.lora_A["probe"].weight.detach().clone(),
                layer.lora_B["probe"].weight.detach() * layer.scaling["probe"],
            )
            for name in ("unet", "text_encoder")
            for layer_name, layer in getattr(pipe, name).named_modules()
            if isinstance(layer, LoraLayer) and "probe" in layer.lora_A
        }
    finally:
        pipe.unload_lora_weights()


def flat(name: str) -> str:
    return name.replace(".", "_")


def kohya(dtype: str = "float32") -> vectors.Arrays:
    return {
        **pair(f"lora_unet_{flat(Q)}", (16, 16), rank=8, alpha=3.0, dtype=dtype),
        **pair(f"lora_te_{flat(TEXT)}", (32, 32), rank=4, alpha=2.0, dtype=dtype),
        **pair(f"lora_te_{flat(TEXT_OUT)}", (32, 32), rank=4, alpha=2.0, dtype=dtype),
    }


def everywhere() -> vectors.Arrays:
    """What kohya's trainer writes by default: attention, projections and feed-forward in one file.

    diffusers 0.42 drops the half of such a file that it names in its older style, so this one can
    be an oracle only in parts.
    """
    return kohya() | outside_attention() | pair(f"lora_unet_{flat(OUT)}", (16, 16), alpha=4.0)


def outside_attention() -> vectors.Arrays:
    return {
        **pair(f"lora_unet_{flat(PROJ)}", (16, 16), kernel=1, alpha=1.0, dtype="float32"),
        **pair(f"lora_unet_{flat(FF)}", (32, 256), rank=2, alpha=2.0, dtype="float32"),
    }


ORIGINALS = {
    "kohya": kohya(),
    "kohya_fp16": kohya("float16"),
    "kohya_outside_attention": outside_attention(),
    "kohya_negative_alpha": pair(
        f"lora_unet_{flat(Q)}", (16, 16), rank=8, alpha=-3.0, dtype="float32"),
    "kohya_attention_output": pair(f"lora_unet_{flat(OUT)}", (16, 16), dtype="float32"),
    "diffusers": pair(f"unet.{Q}", (16, 16), ends=PEFT) | pair(
        f"text_encoder.{TEXT}", (32, 32), ends=PEFT),
    "diffusers_old": pair(f"unet.{Q.replace('to_q', 'processor.to_q')}", (16, 16), ends=OLD)
    | pair(f"unet.{Q.replace('to_q', 'processor.to_out')}", (16, 16), ends=OLD),
    "bf16": {name: (array.view(np.uint32) >> 16).astype(np.uint16)
             for name, array in kohya().items()},
}  # fmt: skip


@pytest.mark.parametrize("name", ORIGINALS)
def test_canonical_form_loads_to_the_originals_weights(
    name: str, base: Base, pipe: Any, tmp_path: Path
) -> None:
    original = write(tmp_path / "original.safetensors", arrays(ORIGINALS[name]))
    made = convert(original, base)
    expected, found = loaded(pipe, original), loaded(pipe, made.path)
    dtype = torch.bfloat16 if made.dtype == "BF16" else torch.float16
    assert made.dtype == ("BF16" if name == "bf16" else "F16")
    assert found.keys() == expected.keys()
    halves = ("down.weight", "lora_A.weight")
    assert len(found) == sum(key.endswith(halves) for key in ORIGINALS[name])
    for layer, (down, up) in expected.items():
        assert torch.equal(found[layer][0], down.to(dtype).float()), layer
        assert torch.equal(found[layer][1], up.to(dtype).float()), layer


def test_canonical_form_of_a_trained_file_loads_to_its_weights(
    base: Base, pipe: Any, tiny_folder: Path, tmp_path: Path
) -> None:
    original = tiny_pipeline.build_adapter(tmp_path / "a.safetensors", tiny_folder, rank=4)
    made = convert(original, base)
    expected, found = loaded(pipe, original), loaded(pipe, made.path)
    assert found.keys() == expected.keys()
    for layer, (down, up) in expected.items():
        assert torch.equal(found[layer][0], down.half().float())
        assert torch.equal(found[layer][1], up.half().float())


def test_canonical_form_keeps_layers_that_diffusers_drops(
    base: Base, pipe: Any, tmp_path: Path
) -> None:
    tensors = everywhere()
    original = write(tmp_path / "original.safetensors", arrays(tensors))
    found = loaded(pipe, convert(original, base).path)
    assert len(found) == 6
    up = torch.from_numpy(tensors[f"lora_unet_{flat(OUT)}.lora_up.weight"])
    assert torch.equal(found[f"unet.{OUT}"][1], up.half().float())


def test_canonical_form_is_accepted_again_and_stays_as_it_is(base: Base, tmp_path: Path) -> None:
    original = write(tmp_path / "original.safetensors", arrays(kohya()))
    once = convert(original, base)
    again = convert(once.path, base)
    assert once.path.read_bytes() == again.path.read_bytes()
    assert once.sha256 == again.sha256
    assert safetensors_header.read_file(once.path).metadata == {"format": "pt"}


def test_numbers_that_fp16_cannot_hold_are_written_in_bf16(base: Base, tmp_path: Path) -> None:
    large = {name: array * np.float32(1e7) for name, array in kohya().items()}
    for name in large:
        if name.endswith(".alpha"):
            large[name] = np.array(1.0, np.float32)
    assert convert(write(tmp_path / "l.safetensors", arrays(large)), base).dtype == "BF16"


@pytest.mark.parametrize(
    "stem", ["double_blocks.0.img_attn.qkv", "transformer.transformer_blocks.0.attn.to_qkv"]
)
def test_fused_flux_layers_come_apart_into_the_layers_of_diffusers(
    stem: str, tmp_path: Path
) -> None:
    tensors = pair(stem, (3072, 9216), rank=2, ends=PEFT)
    path = write(tmp_path / "flux.safetensors", arrays(tensors))
    made = convert(path, Base.of_family("flux"))
    found = {t.name: t for t in safetensors_header.read_file(made.path).tensors}
    data = made.path.read_bytes()
    start = safetensors_header.read_file(made.path).data_begins_at
    up = tensors[f"{stem}.lora_B.weight"]
    for place, name in enumerate(("to_q", "to_k", "to_v")):
        entry = found[f"transformer.transformer_blocks.0.attn.{name}.lora_B.weight"]
        rows = np.frombuffer(data[start + entry.begin : start + entry.end], "<f2").reshape(-1, 2)
        np.testing.assert_array_equal(rows, up[3072 * place : 3072 * (place + 1)])


def test_diffusers_fuses_projections_in_the_order_in_which_they_come_apart_here() -> None:
    from diffusers.models.transformers.transformer_flux import FluxAttention

    attention = FluxAttention(query_dim=8, heads=2, dim_head=4, added_kv_proj_dim=8)
    own = [attention.to_q, attention.to_k, attention.to_v]
    added = [attention.add_q_proj, attention.add_k_proj, attention.add_v_proj]
    attention.fuse_projections()
    assert torch.equal(attention.to_qkv.weight, torch.cat([layer.weight for layer in own]))
    assert torch.equal(attention.to_added_qkv.weight, torch.cat([layer.weight for layer in added]))


def test_the_same_layers_have_one_content_digest_however_they_are_written(
    base: Base, tmp_path: Path
) -> None:
    tensors = kohya()
    turned = dict(reversed(tensors.items()))
    files = {
        "first": arrays(tensors),
        "turned": arrays(turned),
        "talkative": arrays(tensors, metadata={"ss_output_name": "another"}),
    }
    made = {
        name: convert(write(tmp_path / f"{name}.safetensors", content), base)
        for name, content in files.items()
    }
    made["canonical"] = convert(made["first"].path, base)
    [digest] = {found.content_sha256 for found in made.values()}
    tensors[f"lora_unet_{flat(Q)}.lora_up.weight"][0, 0] += 1
    other = convert(write(tmp_path / "other.safetensors", arrays(tensors)), base)
    assert other.content_sha256 != digest


def test_xlabs_names_mean_what_diffusers_converter_means_by_them(tmp_path: Path) -> None:
    sizes = {
        "double_blocks.4.processor.qkv_lora1": (3072, 9216),
        "double_blocks.4.processor.proj_lora2": (3072, 3072),
        "single_blocks.4.processor.qkv_lora": (3072, 9216),
        "single_blocks.4.processor.proj_lora": (15360, 3072),
    }
    tensors: vectors.Arrays = {}
    for stem, sides in sizes.items():
        tensors |= pair(stem, sides, rank=1, ends=vectors.XLABS)
    made = convert(write(tmp_path / "x.safetensors", arrays(tensors)), Base.of_family("flux"))
    oracle = _convert_xlabs_flux_lora_to_diffusers(
        {name: torch.from_numpy(array) for name, array in tensors.items()}
    )
    found = load_file(made.path)
    assert found.keys() == oracle.keys()
    assert all(torch.equal(found[name], oracle[name]) for name in oracle)


def test_kohya_names_outside_fluxs_blocks_mean_what_diffusers_converter_means(
    tmp_path: Path,
) -> None:
    """Among them the last modulation, where the original has shift before scale."""
    sizes = {
        "img_in": (64, 3072),
        "txt_in": (4096, 3072),
        "time_in_in_layer": (256, 3072),
        "time_in_out_layer": (3072, 3072),
        "vector_in_in_layer": (768, 3072),
        "guidance_in_out_layer": (3072, 3072),
        "final_layer_linear": (3072, 64),
        "final_layer_adaLN_modulation_1": (3072, 6144),
    }
    tensors: vectors.Arrays = {}
    for stem, sides in sizes.items():
        tensors |= pair(f"lora_unet_{stem}", sides, rank=2)
    made = convert(write(tmp_path / "k.safetensors", arrays(tensors)), Base.of_family("flux"))
    converted = _convert_kohya_flux_lora_to_diffusers(
        {name: torch.from_numpy(array) for name, array in tensors.items()}
    )
    oracle = {f"transformer.{name}": tensor for name, tensor in converted.items()}
    found = load_file(made.path)
    assert found.keys() == oracle.keys()
    assert all(torch.equal(found[name], oracle[name]) for name in oracle)


@pytest.mark.parametrize(("rank", "least"), [(1, 0.1), (4, 0.5), (7, 0.9), (8, 1.0)])
def test_fit_to_rank_is_the_best_there_is_and_says_what_it_kept(
    base: Base, pipe: Any, tmp_path: Path, rank: int, least: float
) -> None:
    original = write(tmp_path / "original.safetensors", arrays(kohya()))
    made = convert(original, base, rank=rank)
    assert made.rank == min(rank, 8)
    expected, found = loaded(pipe, original), loaded(pipe, made.path)
    down, up = (matrix.double() for matrix in expected[f"unet.{Q}"])
    whole = up @ down
    values = torch.linalg.svdvals(whole)
    best = float((values[rank:] ** 2).sum())
    fitted_down, fitted_up = (matrix.double() for matrix in found[f"unet.{Q}"])
    lost = float(((whole - fitted_up @ fitted_down) ** 2).sum())
    assert lost <= best + 1e-4 * float((whole**2).sum())
    kept = made.kept.get(f"unet.{Q}", 1.0)
    assert kept == pytest.approx(1 - best / float((whole**2).sum()), abs=1e-4)
    assert kept >= least
