"""The vector set: small adapter files of every naming, family and fault, with their verdicts.

Names and sizes are written out by hand from the tools' own files, so that nothing here leans on
the code under test.
"""

from __future__ import annotations

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.adapters.files import arrays, encode, table

Arrays = dict[str, NDArray[Any]]
ONE_ENTRY = json.dumps(table({"a": (1,)}))[1:-1].encode()
RNG = np.random.default_rng(5)
KOHYA = (".lora_down.weight", ".lora_up.weight")
PEFT = (".lora_A.weight", ".lora_B.weight")
OLD = ("_lora.down.weight", "_lora.up.weight")
XLABS = (".down.weight", ".up.weight")
LINEAR = (".lora_linear_layer.down.weight", ".lora_linear_layer.up.weight")
MIDDLE_AGE = (".lora.down.weight", ".lora.up.weight")


@dataclass(frozen=True, slots=True)
class Vector:
    """`expected` are the parts of the JSON report that the file must earn."""

    name: str
    content: bytes
    code: str | None
    expected: dict[str, Any] = field(default_factory=dict)
    base: str | None = None


def weights(*shape: int, dtype: str = "float16") -> NDArray[Any]:
    return (RNG.standard_normal(shape) * 0.1).astype(dtype)


def pair(
    stem: str,
    sides: tuple[int, int],
    *,
    rank: int = 4,
    ends: tuple[str, str] = KOHYA,
    alpha: float | None = None,
    dtype: str = "float16",
    kernel: int = 0,
) -> Arrays:
    """One LoRA of a layer that takes `sides[0]` and gives `sides[1]` numbers."""
    inputs, outputs = sides
    down, up = (rank, inputs), (outputs, rank)
    if kernel:
        down, up = (*down, kernel, kernel), (*up, 1, 1)  # type: ignore[assignment] # four sides
    made = {
        stem + ends[0]: weights(*down, dtype=dtype),
        stem + ends[1]: weights(*up, dtype=dtype),
    }
    if alpha is not None:
        made[f"{stem}.alpha"] = np.array(alpha, dtype=dtype)
    return made


def join(*parts: Arrays) -> Arrays:
    return {name: array for part in parts for name, array in part.items()}


def accepted() -> list[Vector]:
    return [
        Vector(name, arrays(tensors), None, {"format": format_, "family": family} | more)
        for name, tensors, format_, family, more in [*_stable_diffusion(), *_xl(), *_flux()]
    ]


Row = tuple[str, Arrays, str, str, dict[str, Any]]
Q15 = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
K15 = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_k"
TEXT = "text_model.encoder.layers.0.self_attn.q_proj"


def flat(name: str) -> str:
    return name.replace(".", "_")


def _stable_diffusion() -> list[Row]:
    k15, k21 = (768, 320), (1024, 320)
    both = {"unet": 1, "text_encoder": 1}
    return [
        ("kohya_sd15", join(
            pair(f"lora_unet_{flat(K15)}", k15, alpha=2.0),
            pair(f"lora_te_{flat(TEXT)}", (768, 768), alpha=2.0),
        ), "kohya", "sd15", {"targets": both, "alpha": {
            "min": 2.0, "max": 2.0, "scaling_min": 0.5, "scaling_max": 0.5, "missing": 0}}),
        ("kohya_sd15_pointwise_convolution", pair(
            "lora_unet_down_blocks_0_attentions_0_proj_in", (320, 320), kernel=1, alpha=4.0,
        ) | pair(f"lora_unet_{flat(K15)}", k15), "kohya", "sd15", {"targets": {"unet": 2}}),
        ("kohya_sd15_original_names", pair(
            "lora_unet_input_blocks_1_1_transformer_blocks_0_attn2_to_k", k15,
        ), "kohya-ldm", "sd15", {}),
        ("kohya_sd21", join(
            pair(f"lora_unet_{flat(K15)}", k21, dtype="float32"),
            pair("lora_te_text_model_encoder_layers_22_mlp_fc1", (1024, 4096), dtype="float32"),
        ), "kohya", "sd21", {"dtypes": ["F32"], "targets": both}),
        ("diffusers_sd15", join(
            pair(f"unet.{K15}", k15, ends=PEFT, rank=8),
            pair(f"text_encoder.{TEXT}", (768, 768), ends=PEFT, rank=2),
        ), "diffusers", "sd15", {"rank": {"max": 8, "min": 2, "by_module": {
            f"unet.{K15}": 8, "text_encoder.encoder.layers.0.self_attn.q_proj": 2}}}),
        ("diffusers_old_sd15", pair(
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_k", k15,
            ends=OLD,
        ) | pair(
            "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.processor.to_out",
            (320, 320), ends=OLD,
        ), "diffusers-old", "sd15", {"targets": {"unet": 2}}),
        ("diffusers_old_without_prefix", pair(
            "mid_block.attentions.0.transformer_blocks.0.attn2.processor.to_v", (768, 1280),
            ends=OLD,
        ), "diffusers-old", "sd15", {}),
        ("diffusers_old_text_encoder", pair(f"unet.{K15}", k15, ends=MIDDLE_AGE) | pair(
            "text_encoder.text_model.encoder.layers.3.self_attn.to_v", (768, 768), ends=MIDDLE_AGE,
        ) | pair(
            "text_encoder.text_model.encoder.layers.3.mlp.fc2", (3072, 768), ends=LINEAR,
        ), "diffusers-old", "sd15", {"targets": {"unet": 1, "text_encoder": 2}}),
        ("peft_sd21", pair(f"base_model.model.{K15}", k21, ends=PEFT), "peft", "sd21", {}),
        ("peft_default_adapter", pair(
            f"base_model.model.{K15}", k15,
            ends=(".lora_A.default.weight", ".lora_B.default.weight"),
        ), "peft", "sd15", {}),
        ("peft_rank_pattern", join(
            pair(f"base_model.model.{K15}", k15, ends=PEFT, rank=16),
            pair(f"base_model.model.{Q15}", (320, 320), ends=PEFT, rank=4),
        ), "peft", "sd15", {"rank": {"max": 16, "min": 4, "by_module": {
            f"unet.{K15}": 16, f"unet.{Q15}": 4}}}),
        ("peft_starter", pair(
            "base_model.model.mid_block.attentions.0.transformer_blocks.0.attn2.to_k", (192, 192),
            ends=PEFT, dtype="uint16",
        ), "peft", "starter", {"dtypes": ["BF16"]}),
        ("kohya_starter", pair(
            "lora_unet_mid_block_attentions_0_transformer_blocks_0_ff_net_2", (768, 192),
            alpha=2.0,
        ), "kohya", "starter", {}),
        ("peft_text_encoder_alone", pair(
            "base_model.model.text_encoder.encoder.layers.22.self_attn.v_proj", (1024, 1024),
            ends=PEFT,
        ), "peft", "sd21", {"targets": {"text_encoder": 1}}),
        ("kohya_alpha_negative", pair(f"lora_unet_{flat(K15)}", k15, alpha=-2.0), "kohya", "sd15",
         {"alpha": {"min": -2.0, "max": -2.0, "scaling_min": -0.5, "scaling_max": -0.5,
                    "missing": 0}}),
        ("diffusers_starter", pair(
            "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_out.0", (192, 192),
            ends=PEFT,
        ), "diffusers", "starter", {}),
        ("kohya_double_precision", pair(f"lora_unet_{flat(K15)}", k15, dtype="float64", alpha=1.0),
         "kohya", "sd15", {"dtypes": ["F64"]}),
    ]  # fmt: skip


def _xl() -> list[Row]:
    deep = "transformer_blocks_9_attn2_to_k"
    return [
        ("kohya_xl_original_names", join(
            pair(f"lora_unet_input_blocks_8_1_{deep}", (2048, 1280), alpha=1.0),
            pair("lora_unet_middle_block_1_proj_in", (1280, 1280), alpha=1.0),
            pair("lora_unet_output_blocks_3_1_transformer_blocks_1_ff_net_0_proj", (640, 5120)),
            pair("lora_te1_text_model_encoder_layers_11_mlp_fc1", (768, 3072)),
            pair("lora_te2_text_model_encoder_layers_31_self_attn_out_proj", (1280, 1280)),
        ), "kohya-ldm", "sdxl", {"targets": {
            "unet": 3, "text_encoder": 1, "text_encoder_2": 1}}),
        ("kohya_xl_diffusers_names", pair(
            f"lora_unet_mid_block_attentions_0_{deep}", (2048, 1280),
        ), "kohya", "sdxl", {}),
        ("diffusers_xl", join(
            pair("unet.up_blocks.1.attentions.2.transformer_blocks.1.attn2.to_v", (2048, 640),
                 ends=PEFT),
            pair("text_encoder_2.text_model.encoder.layers.5.self_attn.k_proj", (1280, 1280),
                 ends=PEFT),
        ), "diffusers", "sdxl", {"targets": {"unet": 1, "text_encoder_2": 1}}),
        ("diffusers_old_xl", pair(
            "unet.down_blocks.2.attentions.1.transformer_blocks.9.attn2.processor.to_v",
            (2048, 1280), ends=OLD,
        ), "diffusers-old", "sdxl", {}),
        ("peft_xl", pair(
            "base_model.model.down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k",
            (2048, 640), ends=PEFT,
        ), "peft", "sdxl", {}),
    ]  # fmt: skip


def _flux() -> list[Row]:
    return [
        ("kohya_flux", join(
            pair("lora_unet_double_blocks_0_img_attn_qkv", (3072, 9216), alpha=4.0),
            pair("lora_unet_single_blocks_37_linear1", (3072, 21504), alpha=4.0),
            pair("lora_te1_text_model_encoder_layers_0_mlp_fc1", (768, 3072), alpha=4.0),
        ), "kohya", "flux", {"targets": {"transformer": 7, "text_encoder": 1}}),
        ("bfl_flux", join(
            pair("double_blocks.18.txt_attn.proj", (3072, 3072), ends=PEFT),
            pair("single_blocks.0.linear2", (15360, 3072), ends=PEFT, rank=2),
            pair("double_blocks.0.img_mod.lin", (3072, 18432), ends=PEFT),
        ), "original", "flux", {"targets": {"transformer": 3}}),
        ("bfl_flux_with_prefix", pair(
            "diffusion_model.double_blocks.0.img_mlp.0", (3072, 12288), ends=PEFT,
        ), "original", "flux", {}),
        ("ai_toolkit_flux", pair(
            "transformer.single_transformer_blocks.0.attn.to_q", (3072, 3072), ends=PEFT,
            dtype="uint16",
        ), "diffusers", "flux", {"dtypes": ["BF16"]}),
        ("diffusers_flux", join(
            pair("transformer.transformer_blocks.0.ff_context.net.2", (12288, 3072), ends=PEFT),
            pair("transformer.transformer_blocks.0.attn.add_k_proj", (3072, 3072), ends=PEFT),
        ), "diffusers", "flux", {}),
        ("kohya_flux_diffusers_names", pair(
            "lora_transformer_transformer_blocks_0_attn_to_out_0", (3072, 3072), alpha=1.0,
        ), "kohya", "flux", {}),
        ("xlabs_flux", join(
            pair("double_blocks.3.processor.qkv_lora1", (3072, 9216), ends=XLABS),
            pair("double_blocks.3.processor.qkv_lora2", (3072, 9216), ends=XLABS),
            pair("double_blocks.3.processor.proj_lora1", (3072, 3072), ends=XLABS),
            pair("double_blocks.3.processor.proj_lora2", (3072, 3072), ends=XLABS),
        ), "xlabs", "flux", {"targets": {"transformer": 8}}),
        ("xlabs_flux_with_prefix", join(
            pair("diffusion_model.single_blocks.20.processor.qkv_lora", (3072, 9216), ends=XLABS),
            pair("diffusion_model.single_blocks.20.processor.proj_lora", (15360, 3072),
                 ends=XLABS),
        ), "xlabs", "flux", {"targets": {"transformer": 4}}),
        ("diffusers_flux_fused", join(
            pair("transformer.transformer_blocks.0.attn.to_qkv", (3072, 9216), ends=PEFT),
            pair("transformer.transformer_blocks.0.attn.add_qkv_proj", (3072, 9216), ends=PEFT),
            pair("transformer.single_transformer_blocks.0.attn.to_qkv", (3072, 9216), ends=PEFT),
        ), "fused", "flux", {"targets": {"transformer": 9}}),
        ("peft_flux", pair(
            "base_model.model.single_transformer_blocks.3.proj_mlp", (3072, 12288), ends=PEFT,
        ), "peft", "flux", {}),
    ]  # fmt: skip


GOOD = pair("lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k", (768, 320))


def _with(name: str, array: NDArray[Any]) -> bytes:
    return arrays(GOOD | {name: array})


def _changed(change: Callable[[Arrays], None], source: Arrays = GOOD) -> bytes:
    tensors = {name: array.copy() for name, array in source.items()}
    change(tensors)
    return arrays(tensors)


def _set(name: str, value: float) -> Callable[[Arrays], None]:
    def change(tensors: Arrays) -> None:
        tensors[name][0, 1] = value

    return change


def _archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(20_000_000))
    return out.getvalue()


def refused() -> list[Vector]:
    return [Vector(name, content, code, more) for name, content, code, more in _faults()] + [
        Vector("xl_on_sd15", arrays(pair("lora_unet_middle_block_1_transformer_blocks_9_attn2_to_k",
            (2048, 1280))), "wrong_base_model", {"family": "sdxl"}, "sd15"),
        Vector("sd15_on_sd21", arrays(GOOD), "wrong_base_model", {"family": "sd15"}, "sd21"),
        Vector("flux_on_xl", arrays(pair("transformer.single_transformer_blocks.0.attn.to_q",
            (3072, 3072), ends=PEFT)), "wrong_base_model", {"family": "flux"}, "sdxl"),
        Vector("fine_on_its_own_family", arrays(GOOD), None, {"family": "sd15"}, "sd15"),
    ]  # fmt: skip


def _faults() -> list[tuple[str, bytes, str, dict[str, Any]]]:
    stem = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn2_to_k"
    down, up = f"{stem}.lora_down.weight", f"{stem}.lora_up.weight"
    whole = arrays(GOOD)
    conv = pair("lora_unet_down_blocks_0_resnets_0_conv1", (320, 320), kernel=3)
    return [
        ("nothing", b"", "empty", {}),
        ("no_tensors", encode({}), "empty", {"tensors": 0}),
        ("pickle", pickle.dumps({"a": 1}), "not_safetensors", {}),
        ("zip_of_a_pickle", _archive(), "not_safetensors", {}),
        ("text", b"This is not a model at all, but it is long enough.", "not_safetensors", {}),
        ("claims_2_63_bytes", (2**63).to_bytes(8, "little") + b"{}", "not_safetensors", {}),
        ("not_json", encode(b"{]"), "header_invalid", {}),
        ("overlap", encode(table({"a": (4,)}) | table({"b": (4,)}), bytes(8)),
         "header_invalid", {}),
        ("hole", encode(table({down: (4, 768)}, begin=8), bytes(6152)), "header_invalid", {}),
        ("a_name_twice", encode(b"{" + b",".join([ONE_ENTRY] * 2) + b"}", bytes(2)),
         "header_invalid", {}),
        ("cut_in_the_data", whole[:-100], "truncated", {}),
        ("cut_in_the_header", whole[:40], "truncated", {}),
        ("whole_model", arrays({"model.diffusion_model.input_blocks.0.0.weight":
         weights(320, 4, 3, 3)}), "not_an_adapter", {"tensors": 1}),
        ("embedding", arrays({"emb_params": weights(4, 768)}), "not_an_adapter", {}),
        ("loha_of_unequal_products", arrays({f"{stem}.hada_w1_a": weights(320, 4),
         f"{stem}.hada_w1_b": weights(4, 768), f"{stem}.hada_w2_a": weights(320, 4),
         f"{stem}.hada_w2_b": weights(4, 320)}), "incomplete_pair", {}),
        ("half_a_lokr", arrays({f"{stem}.lokr_w1": weights(8, 8)}), "incomplete_pair", {}),
        ("loha_with_a_middle_tensor", arrays({f"{stem}.hada_w1_a": weights(4, 320),
         f"{stem}.hada_w1_b": weights(4, 768), f"{stem}.hada_w2_a": weights(4, 320),
         f"{stem}.hada_w2_b": weights(4, 768), f"{stem}.hada_t1": weights(4, 4, 1, 1)}),
         "unsupported_layers", {}),
        ("lokr_beside_a_lora", arrays(GOOD | {f"{K15}.lokr_w1": weights(8, 8)}),
         "incomplete_pair", {}),
        ("lokr_in_a_lora", arrays(GOOD | {f"{stem}.lokr_w1": weights(8, 8),
         f"{stem}.lokr_w2": weights(40, 96)}), "unsupported_type", {}),
        ("lokr_of_another_size", arrays({f"{stem}.lokr_w1": weights(8, 8),
         f"{stem}.lokr_w2": weights(40, 40)}), "dimension_mismatch", {}),
        ("oft", arrays({f"{stem}.oft_blocks": weights(4, 80, 80)}), "unsupported_type", {}),
        ("ia3", arrays({f"{stem}.weight": weights(320), f"{stem}.on_input": weights(1)}),
         "unsupported_type", {}),
        ("dora_of_neither_axis", _with(f"{stem}.dora_scale", weights(12, 1)),
         "unsupported_type", {}),
        ("dora_of_both_axes", arrays(pair(f"lora_unet_{flat(Q15)}", (320, 320))
         | {f"lora_unet_{flat(Q15)}.dora_scale": weights(320)}), "unsupported_type", {}),
        ("dora_without_a_lora", arrays({f"{stem}.dora_scale": weights(320, 1)}),
         "unsupported_type", {}),
        ("dora_of_a_lokr", arrays({f"{stem}.lokr_w1": weights(8, 8),
         f"{stem}.lokr_w2": weights(40, 96), f"{stem}.dora_scale": weights(320, 1)}),
         "unsupported_type", {}),
        ("bias_between_the_matrices", arrays(pair(f"unet.{K15}", (768, 320), ends=PEFT) | {
         f"unet.{K15}.lora_A.bias": weights(4)}), "unsupported_type", {}),
        ("bias_of_another_size", arrays(pair(f"unet.{K15}", (768, 320), ends=PEFT) | {
         f"unet.{K15}.lora_B.bias": weights(4)}), "unsupported_type", {}),
        ("bias_difference_alone", arrays({f"{stem}.diff_b": weights(320)}),
         "unsupported_type", {}),
        ("full_difference", arrays({f"{stem}.diff": weights(320, 768)}), "unsupported_type", {}),
        ("convolution", arrays(GOOD | conv), "unsupported_layers", {"family": "sd15"}),
        ("time_embedding", arrays(GOOD | pair("lora_unet_time_embedding_linear_1", (320, 1280))),
         "unsupported_layers", {}),
        ("t5_of_kohya", arrays(pair("lora_unet_double_blocks_0_img_attn_proj", (3072, 3072)) | pair(
         "lora_te3_encoder_block_7_layer_0_SelfAttention_q", (4096, 4096))),
         "unsupported_layers", {"family": "flux"}),
        ("t5_of_diffusers", arrays(pair(
         "text_encoder_2.encoder.block.23.layer.1.DenseReluDense.wi_1", (4096, 10240), ends=PEFT)),
         "unsupported_layers", {"family": "flux", "format": "diffusers"}),
        ("integers", arrays({down: np.zeros((4, 768), np.int64), up: weights(320, 4)}),
         "unsupported_dtype", {}),
        ("unknown_layer", arrays(GOOD | pair("lora_unet_roof_blocks_0_attn_to_q", (320, 320))),
         "unknown_keys", {}),
        ("other_model_altogether", arrays(pair("language_model.layers.0.q_proj", (64, 64),
         ends=PEFT)), "unknown_keys", {"family": None}),
        ("markup_in_a_name", arrays(GOOD | pair("<script>alert(1)</script>/../../etc", (8, 8))),
         "unknown_keys", {}),
        ("sizes_of_no_model", arrays(pair(stem, (500, 320))), "dimension_mismatch", {}),
        ("three_sides", arrays({down: weights(4, 768, 2), up: weights(320, 4)}),
         "dimension_mismatch", {}),
        ("half_a_pair", arrays({down: GOOD[down]}), "incomplete_pair", {}),
        ("ranks_disagree", arrays({down: weights(4, 768), up: weights(320, 8)}),
         "rank_mismatch", {}),
        ("rank_zero", arrays({down: weights(0, 768), up: weights(320, 0)}), "rank_zero", {}),
        ("two_spellings", arrays(GOOD | pair(f"unet.{K15}", (768, 320), ends=PEFT)),
         "duplicate_layer", {}),
        ("alpha_of_many", _with(f"{stem}.alpha", weights(3)), "alpha_invalid", {}),
        ("alpha_nan", _with(f"{stem}.alpha", np.array(np.nan, np.float16)), "alpha_invalid", {}),
        ("alpha_beyond_use", _with(f"{stem}.alpha", np.array(-2e6, np.float32)), "alpha_invalid",
         {}),
        ("nan", _changed(_set(down, float("nan"))), "not_finite", {"family": "sd15"}),
        ("infinity", _changed(_set(up, float("-inf"))), "not_finite", {}),
        ("bf16_infinity", arrays({down: np.full((4, 768), 0x7F80, np.uint16),
         up: np.zeros((320, 4), np.uint16)}), "not_finite", {"dtypes": ["BF16"]}),
    ]  # fmt: skip
