"""Names of the original code lead to the layers to which diffusers' own converters lead them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from diffusers.loaders import lora_conversion_utils as diffusers_converters

from adapters.formats.detection import recognise
from tests.adapters import signatures
from tests.adapters.signatures import KOHYA, PEFT, Layers

Weights = dict[str, torch.Tensor]
COMFY = ("diffusion_model.", PEFT, False)
FLAT = ("lora_unet_", KOHYA, True)
BARE = ("", PEFT, False)
WAN = [
    *(f"blocks.0.{attn}.{half}" for attn in ("self_attn", "cross_attn") for half in "qkvo"),
    "blocks.0.ffn.0",
    "blocks.0.ffn.2",
]
FLUX2 = ["double_blocks.0.img_attn.qkv", "double_blocks.0.txt_attn.proj",
         "double_blocks.0.img_mlp.0", "double_blocks.0.txt_mlp.2", "single_blocks.3.linear1",
         "single_blocks.3.linear2"]  # fmt: skip
LUMINA2 = [f"layers.0.{name}" for name in (
    "attention.qkv", "attention.out", "feed_forward.w1", "feed_forward.w2", "feed_forward.w3",
    "adaLN_modulation.1")]  # fmt: skip
HUNYUAN = ["double_blocks.0.img_attn_qkv", "double_blocks.0.txt_attn_proj",
           "double_blocks.0.img_mlp.fc1", "double_blocks.0.txt_mlp.fc2", "single_blocks.2.linear1",
           "single_blocks.2.linear2", "double_blocks.1.img_mod.linear",
           "single_blocks.2.modulation.linear"]  # fmt: skip
KREA2 = ["blocks.0.attn.wq", "blocks.0.attn.wo", "blocks.0.attn.gate", "blocks.0.mlp.gate",
         "blocks.0.mlp.down", "first", "last.linear", "tmlp.0", "tproj.1", "txtmlp.3",
         "txtfusion.refiner_blocks.0.attn.wk", "txtfusion.projector"]  # fmt: skip
MINIMAX = ["blocks.0.attn.qkv_proj", "blocks.0.attn.out_proj", "blocks.0.mlp.fc1",
           "blocks.0.mlp.fc2", "token_refiner.blocks.0.attn.qkv_proj", "video_patch_proj",
           "condition_proj", "time_embedder.proj_in", "final_layer.video_out"]  # fmt: skip
ANIMA = ["blocks.0.self_attn.q_proj", "blocks.0.cross_attn.output_proj", "blocks.0.mlp.layer1",
         "blocks.0.adaln_modulation_mlp.2", "final_layer.linear", "t_embedder.1.linear_1",
         "llm_adapter.blocks.0.self_attn.q_proj"]  # fmt: skip
LTX2 = ["patchify_proj", "audio_patchify_proj", "adaln_single.linear", "audio_adaln_single.linear",
        "av_ca_a2v_gate_adaln_single.linear"]  # fmt: skip
FLUX3 = ["content_mode_blocks.image.0.q_proj", "single_blocks.0.attn_out", "single_blocks.0.mlp_in"]
IDEOGRAM4 = ["layers.0.attention.qkv", "layers.0.attention.o"]
ACE_STEP = ["layers.0.self_attn.q_proj", "layers.0.cross_attn.o_proj"]
CASES = [
    ("wan-14b", "_convert_non_diffusers_wan_lora_to_diffusers", COMFY, WAN),
    ("wan-1.3b", "_convert_musubi_wan_lora_to_diffusers", FLAT, WAN),
    ("flux2", "_convert_non_diffusers_flux2_lora_to_diffusers", COMFY, FLUX2),
    ("flux2-klein-9b", "_convert_kohya_flux2_lora_to_diffusers", FLAT, FLUX2),
    ("lumina2", "_convert_non_diffusers_lumina2_lora_to_diffusers", COMFY, LUMINA2),
    ("hunyuan-video", "_convert_hunyuan_video_lora_to_diffusers", BARE, HUNYUAN),
    ("krea2", "_convert_non_diffusers_krea2_lora_to_diffusers", COMFY, KREA2),
    ("minimax-h3", "_convert_non_diffusers_minimax_h3_lora_to_diffusers", COMFY, MINIMAX),
    ("anima", "_convert_non_diffusers_anima_lora_to_diffusers", COMFY, ANIMA),
    ("ltx-2", "_convert_non_diffusers_ltx2_lora_to_diffusers", COMFY, LTX2),
    ("flux3", "_convert_non_diffusers_flux3_lora_to_diffusers", COMFY, FLUX3),
    ("ideogram4", "_convert_non_diffusers_ideogram4_lora_to_diffusers", COMFY, IDEOGRAM4),
    ("ace-step", "_convert_non_diffusers_ace_step_lora_to_diffusers", BARE, ACE_STEP),
]


@pytest.mark.parametrize(
    ("architecture", "converter", "spelling", "names"),
    CASES,
    ids=[f"{architecture}{converter}" for architecture, converter, *_ in CASES],
)
def test_names_lead_where_diffusers_leads_them(
    architecture: str, converter: str, spelling: Any, names: list[str]
) -> None:
    original = {
        name.replace(".", "_"): size
        for name, size in signatures.layers_of(architecture, "original").items()
    }
    layers: Layers = {name: original[name.replace(".", "_")] for name in names}
    header = signatures.header(layers, spelling, rank=1)
    weights: Weights = {tensor.name: torch.zeros(tensor.shape) for tensor in header.tensors}
    if spelling is FLAT:
        weights |= {
            f"{name.removesuffix('.lora_down.weight')}.alpha": torch.tensor(1.0)
            for name in list(weights)
            if name.endswith(".lora_down.weight")
        }
    convert: Callable[[Weights], Weights] = getattr(diffusers_converters, converter)
    native = signatures.layers_of(architecture, "layers")
    for name, weight in convert(dict(weights)).items():
        layer, _, half = name.removeprefix("transformer.").rpartition(".lora_")
        size = native[layer]
        assert weight.shape == ((1, size[0]) if half == "A.weight" else (size[1], 1)), name
    found = recognise(header)
    assert found.alike.is_whole
    assert architecture in found.alike.architectures
