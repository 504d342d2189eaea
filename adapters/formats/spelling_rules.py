"""How the original code of each architecture names the layers that diffusers names otherwise. Pure.

A rule is a regular expression and what takes its place, applied in order to diffusers' dotted name;
a fusion names the layer that holds several of diffusers' layers as blocks of rows. Sources:
diffusers' own converters (`loaders/lora_conversion_utils.py`, `loaders/single_file_utils.py`), for
the files of ai-toolkit, ComfyUI, kohya, musubi-tuner, OneTrainer and the models' authors.
Of served families `target_modules` reads them; of others their outcome is data (`foreign.json`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

Rules = tuple[tuple[str, str], ...]
Fusions = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Spelling:
    """`fusions` are done first, so `rules` see the fused layer's name too."""

    rules: Rules = ()
    fusions: Fusions = ()


def names(layers: Mapping[str, int], spelling: Spelling) -> dict[str, tuple[str, ...]]:
    """{a layer's name in that spelling, where it is another: diffusers' names, whose rows lie one
    below the other in it}; `layers` gives what each takes."""
    found: dict[str, tuple[str, ...]] = {path: (path,) for path in layers}
    for alias, parts in spelling.fusions:
        for path in layers:
            prefix = path.removesuffix(parts[0])
            paths = tuple(prefix + part for part in parts)
            if prefix == path or (prefix and prefix[-1] != "."):
                continue
            if len({layers.get(each) for each in paths}) == 1:
                found[prefix + alias] = paths
    spelt = {_renamed(name, spelling.rules): paths for name, paths in found.items()}
    return {name: paths for name, paths in spelt.items() if name not in layers}


def _renamed(name: str, rules: Rules) -> str:
    for pattern, other in rules:
        name = re.sub(pattern, other, name)
    return name


QKV = ("to_q", "to_k", "to_v")
ADDED = ("add_q_proj", "add_k_proj", "add_v_proj")
# What diffusers' own `fuse_qkv_projections` makes, and the name that nunchaku has for it.
FUSED = Spelling(
    fusions=(
        ("to_qkv", QKV),
        ("to_kv", ("to_k", "to_v")),
        ("to_added_qkv", ADDED),
        ("add_qkv_proj", ADDED),
    )
)

WAN = Spelling(
    (
        (r"\battn1\.", "self_attn."),
        (r"\battn2\.", "cross_attn."),
        (r"\.to_out\.0$", ".o"),
        (r"\.to_([qkv])$", r".\1"),
        (r"\.add_([kv])_proj$", r".\1_img"),
        (r"^condition_embedder\.image_embedder\.ff\.net\.0\.proj$", "img_emb.proj.1"),
        (r"^condition_embedder\.image_embedder\.ff\.net\.2$", "img_emb.proj.3"),
        (r"\bffn\.net\.0\.proj$", "ffn.0"),
        (r"\bffn\.net\.2$", "ffn.2"),
        (r"^condition_embedder\.(time|text)_embedder\.linear_1$", r"\1_embedding.0"),
        (r"^condition_embedder\.(time|text)_embedder\.linear_2$", r"\1_embedding.2"),
        (r"^condition_embedder\.time_proj$", "time_projection.1"),
        (r"^proj_out$", "head.head"),
        (r"^(vace_blocks\.\d+)\.proj_in$", r"\1.before_proj"),
        (r"^(vace_blocks\.\d+)\.proj_out$", r"\1.after_proj"),
    )
)
_STREAMS: Rules = (
    (r"^single_transformer_blocks\.", "single_blocks."),
    (r"^transformer_blocks\.", "double_blocks."),
    (r"\.attn\.to_out\.0$", ".img_attn.proj"),
    (r"\.attn\.to_add_out$", ".txt_attn.proj"),
    (r"\.ff\.net\.0\.proj$", ".img_mlp.0"),
    (r"\.ff\.net\.2$", ".img_mlp.2"),
    (r"\.ff_context\.net\.0\.proj$", ".txt_mlp.0"),
    (r"\.ff_context\.net\.2$", ".txt_mlp.2"),
    (r"\.norm1\.linear$", ".img_mod.lin"),
    (r"\.norm1_context\.linear$", ".txt_mod.lin"),
    (r"^(single_blocks\.\d+)\.norm\.linear$", r"\1.modulation.lin"),
    (r"^(single_blocks\.\d+)\.proj_out$", r"\1.linear2"),
    (r"^x_embedder(\.proj)?$", "img_in"),
    (r"^proj_out$", "final_layer.linear"),
    (r"^norm_out\.linear$", "final_layer.adaLN_modulation.1"),
)
_STREAM_FUSIONS: Fusions = (
    ("img_attn.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")),
    ("txt_attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ("linear1", ("attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp")),
)
_EMBEDDERS: Rules = (
    (r"^context_embedder$", "txt_in"),
    (r"^time_(?:text|guidance)_embed\.timestep_embedder\.", "time_in."),
    (r"^time_(?:text|guidance)_embed\.text_embedder\.", "vector_in."),
    (r"^time_(?:text|guidance)_embed\.guidance_embedder\.", "guidance_in."),
)
BFL = Spelling(
    (
        *_STREAMS,
        *_EMBEDDERS,
        (r"^((?:time|vector|guidance)_in|distilled_guidance_layer\.layers\.\d+)\.linear_1$",
         r"\1.in_layer"),
        (r"^((?:time|vector|guidance)_in|distilled_guidance_layer\.layers\.\d+)\.linear_2$",
         r"\1.out_layer"),
    ),
    _STREAM_FUSIONS,
)  # fmt: skip
FLUX2 = Spelling(
    (
        (r"\.ff\.linear_in$", ".ff.net.0.proj"),
        (r"\.ff\.linear_out$", ".ff.net.2"),
        (r"\.ff_context\.linear_in$", ".ff_context.net.0.proj"),
        (r"\.ff_context\.linear_out$", ".ff_context.net.2"),
        (r"^(single_transformer_blocks\.\d+)\.attn\.to_qkv_mlp_proj$", r"\1.linear1"),
        (r"^(single_transformer_blocks\.\d+)\.attn\.to_out$", r"\1.proj_out"),
        (r"_modulation(_img|_txt)?\.linear$", r"_modulation\1.lin"),
        *BFL.rules,
    ),
    _STREAM_FUSIONS[:2],
)
FLUX3 = Spelling(
    (
        (r"^mode_blocks\.", "content_mode_blocks."),
        (r"^single_transformer_blocks\.", "single_blocks."),
        (r"\.attn\.to_([qkv])$", r".\1_proj"),
        (r"\.attn\.to_out\.0$", ".attn_out"),
        (r"\.ff\.linear_(in|out)$", r".mlp_\1"),
        (r"^x_embedders\.", "emb_in."),
        (r"^context_embedder\b", "txt_in"),
        (r"\.linear$", ".lin"),
    )
)
_REFINER: Rules = (
    (r"^context_embedder\.token_refiner\.refiner_blocks\.",
     "txt_in.individual_token_refiner.blocks."),
    (r"^context_embedder\.time_text_embed\.timestep_embedder\.linear_1$",
     "txt_in.t_embedder.mlp.0"),
    (r"^context_embedder\.time_text_embed\.timestep_embedder\.linear_2$",
     "txt_in.t_embedder.mlp.2"),
    (r"^context_embedder\.time_text_embed\.text_embedder\.", "txt_in.c_embedder."),
    (r"^context_embedder\.proj_in$", "txt_in.input_embedder"),
    (r"^(txt_in\.individual_token_refiner.*)\.attn\.to_out\.0$", r"\1.self_attn_proj"),
    (r"^(txt_in\.individual_token_refiner.*)\.attn\.to_qkv$", r"\1.self_attn_qkv"),
    (r"^(txt_in\.individual_token_refiner.*)\.ff\.net\.0\.proj$", r"\1.mlp.fc1"),
    (r"^(txt_in\.individual_token_refiner.*)\.ff\.net\.2$", r"\1.mlp.fc2"),
    (r"^(txt_in\.individual_token_refiner.*)\.norm_out\.linear$", r"\1.adaLN_modulation.1"),
)  # fmt: skip
# ComfyUI's names; in kohya's form those of the authors (`img_attn_qkv`) are the same.
HUNYUAN = Spelling(
    (*_REFINER, *BFL.rules), (*_STREAM_FUSIONS, ("attn.to_qkv", ("attn.to_q", "attn.to_k",
     "attn.to_v")))
)  # fmt: skip
HUNYUAN_AUTHORS = Spelling(
    (
        *HUNYUAN.rules,
        (r"\.(img|txt)_mlp\.0$", r".\1_mlp.fc1"),
        (r"\.(img|txt)_mlp\.2$", r".\1_mlp.fc2"),
        (r"\.(img|txt)_mod\.lin$", r".\1_mod.linear"),
        (r"\.modulation\.lin$", ".modulation.linear"),
        (r"^(time|guidance)_in\.in_layer$", r"\1_in.mlp.0"),
        (r"^(time|guidance)_in\.out_layer$", r"\1_in.mlp.2"),
    ),
    HUNYUAN.fusions,
)
# Those of the later models, which have the projections apart.
HUNYUAN_APART = Spelling(
    (
        (r"^(transformer_blocks\.\d+)\.attn\.to_([qkv])$", r"\1.img_attn_\2"),
        (r"\.attn\.add_([qkv])_proj$", r".txt_attn_\1"),
        (r"^(single_transformer_blocks\.\d+)\.attn\.to_([qkv])$", r"\1.linear1_\2"),
        (r"^(single_transformer_blocks\.\d+)\.proj_mlp$", r"\1.linear1_mlp"),
        (r"^(context_embedder\.token_refiner.*)\.attn\.to_([qkv])$", r"\1.self_attn_\2"),
        *HUNYUAN_AUTHORS.rules,
    )
)
SD3 = Spelling(
    (
        (r"^transformer_blocks\.", "joint_blocks."),
        (r"\.attn\.to_out\.0$", ".x_block.attn.proj"),
        (r"\.attn2\.to_out\.0$", ".x_block.attn2.proj"),
        (r"\.attn\.to_add_out$", ".context_block.attn.proj"),
        (r"\.ff\.net\.0\.proj$", ".x_block.mlp.fc1"),
        (r"\.ff\.net\.2$", ".x_block.mlp.fc2"),
        (r"\.ff_context\.net\.0\.proj$", ".context_block.mlp.fc1"),
        (r"\.ff_context\.net\.2$", ".context_block.mlp.fc2"),
        (r"\.norm1\.linear$", ".x_block.adaLN_modulation.1"),
        (r"\.norm1_context\.linear$", ".context_block.adaLN_modulation.1"),
        (r"^pos_embed\.proj$", "x_embedder.proj"),
        (r"^time_text_embed\.timestep_embedder\.linear_1$", "t_embedder.mlp.0"),
        (r"^time_text_embed\.timestep_embedder\.linear_2$", "t_embedder.mlp.2"),
        (r"^time_text_embed\.text_embedder\.linear_1$", "y_embedder.mlp.0"),
        (r"^time_text_embed\.text_embedder\.linear_2$", "y_embedder.mlp.2"),
        (r"^proj_out$", "final_layer.linear"),
        (r"^norm_out\.linear$", "final_layer.adaLN_modulation.1"),
    ),
    (
        ("x_block.attn.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")),
        ("x_block.attn2.qkv", ("attn2.to_q", "attn2.to_k", "attn2.to_v")),
        ("context_block.attn.qkv", ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj")),
    ),
)
Z_IMAGE = Spelling(
    (
        (r"\.attention\.to_out\.0$", ".attention.out"),
        (r"^all_final_layer\.2-1\.", "final_layer."),
        (r"^all_x_embedder\.2-1$", "x_embedder"),
    ),
    (("attention.qkv", ("attention.to_q", "attention.to_k", "attention.to_v")),),
)
LUMINA2 = Spelling(
    (
        (r"\.attn\.to_out\.0$", ".attention.out"),
        (r"\.feed_forward\.linear_([123])$", r".feed_forward.w\1"),
        (r"\.norm1\.linear$", ".adaLN_modulation.1"),
        (r"^norm_out\.linear_1$", "final_layer.adaLN_modulation.1"),
        (r"^norm_out\.linear_2$", "final_layer.linear"),
        (r"^time_caption_embed\.caption_embedder\.", "cap_embedder."),
        (r"^time_caption_embed\.timestep_embedder\.linear_1$", "t_embedder.mlp.0"),
        (r"^time_caption_embed\.timestep_embedder\.linear_2$", "t_embedder.mlp.2"),
    ),
    (("attention.qkv", ("attn.to_q", "attn.to_k", "attn.to_v")),),
)
LTX = Spelling(
    (
        (r"^(audio_)?proj_in$", r"\1patchify_proj"),
        (r"^(audio_)?time_embed\.", r"\1adaln_single."),
        (r"^(audio_)?prompt_adaln\.", r"\1prompt_adaln_single."),
        (r"^av_cross_attn_(video|audio)_scale_shift\.", r"av_ca_\1_scale_shift_adaln_single."),
        (r"^av_cross_attn_video_a2v_gate\.", "av_ca_a2v_gate_adaln_single."),
        (r"^av_cross_attn_audio_v2a_gate\.", "av_ca_v2a_gate_adaln_single."),
        (r"^text_proj_in$", "aggregate_embed"),
    )
)
COSMOS = Spelling(
    (
        (r"^norm_out\.linear_([12])$", r"final_layer.adaln_modulation.\1"),
        (r"\.norm1\.linear_([12])$", r".adaln_modulation_self_attn.\1"),
        (r"\.norm2\.linear_([12])$", r".adaln_modulation_cross_attn.\1"),
        (r"\.norm3\.linear_([12])$", r".adaln_modulation_mlp.\1"),
        (r"^transformer_blocks\.", "blocks."),
        (r"\.attn1\.", ".self_attn."),
        (r"\.attn2\.", ".cross_attn."),
        (r"\.to_([qkv])$", r".\1_proj"),
        (r"\.to_out\.0$", ".output_proj"),
        (r"\.ff\.net\.0\.proj$", ".mlp.layer1"),
        (r"\.ff\.net\.2$", ".mlp.layer2"),
        (r"^proj_out$", "final_layer.linear"),
        (r"^time_embed\.t_embedder\.", "t_embedder.1."),
        (r"^patch_embed\.proj$", "x_embedder.proj.1"),
    )
)
ANIMA = Spelling((*COSMOS.rules, (r"^text_conditioner\.", "llm_adapter.")))
KREA2 = Spelling(
    (
        (r"^transformer_blocks\.", "blocks."),
        (r"^text_fusion\.", "txtfusion."),
        (r"\.to_([qkv])$", r".w\1"),
        (r"\.to_out\.0$", ".wo"),
        (r"\.to_gate$", ".gate"),
        (r"\.ff\.(gate|up|down)$", r".mlp.\1"),
        (r"^img_in$", "first"),
        (r"^final_layer\.linear$", "last.linear"),
        (r"^time_embed\.linear_1$", "tmlp.0"),
        (r"^time_embed\.linear_2$", "tmlp.2"),
        (r"^time_mod_proj$", "tproj.1"),
        (r"^txt_in\.linear_1$", "txtmlp.1"),
        (r"^txt_in\.linear_2$", "txtmlp.3"),
    )
)
IDEOGRAM4 = Spelling(
    ((r"\.attention\.to_out\.0$", ".attention.o"),),
    (("attention.qkv", ("attention.to_q", "attention.to_k", "attention.to_v")),),
)
ACE_STEP = Spelling(((r"\.to_([qkv])$", r".\1_proj"), (r"\.to_out\.0$", ".o_proj")))
MINIMAX = Spelling(
    (
        (r"^transformer_blocks\.", "blocks."),
        (r"^token_refiner\.refiner_blocks\.", "token_refiner.blocks."),
        (r"\.attn\.to_out\.0$", ".attn.out_proj"),
        (r"\.ff\.net\.0\.proj$", ".mlp.fc1"),
        (r"\.ff\.net\.2$", ".mlp.fc2"),
        (r"^proj_in$", "video_patch_proj"),
        (r"^audio_proj_in$", "audio_patch_proj"),
        (r"^context_embedder$", "condition_proj"),
        (r"^time_embedder\.linear_1$", "time_embedder.proj_in"),
        (r"^time_embedder\.linear_2$", "time_embedder.proj_out"),
        (r"^norm_out\.linear$", "final_layer.adaln_proj.linear"),
        (r"^proj_out$", "final_layer.video_out"),
        (r"^audio_proj_out$", "final_layer.audio_out"),
    ),
    (("attn.qkv_proj", ("attn.to_q", "attn.to_k", "attn.to_v")),),
)
MOCHI = Spelling(
    (
        (r"^transformer_blocks\.", "blocks."),
        (r"\.attn1\.to_out\.0$", ".attn.proj_x"),
        (r"\.attn1\.to_add_out$", ".attn.proj_y"),
        (r"\.norm1\.linear$", ".mod_x"),
        (r"\.norm1_context\.linear(_1)?$", ".mod_y"),
        (r"\.ff\.net\.0\.proj$", ".mlp_x.w1"),
        (r"\.ff\.net\.2$", ".mlp_x.w2"),
        (r"\.ff_context\.net\.0\.proj$", ".mlp_y.w1"),
        (r"\.ff_context\.net\.2$", ".mlp_y.w2"),
        (r"^proj_out$", "final_layer.linear"),
        (r"^norm_out\.linear$", "final_layer.mod"),
    ),
    (
        ("attn.qkv_x", ("attn1.to_q", "attn1.to_k", "attn1.to_v")),
        ("attn.qkv_y", ("attn1.add_q_proj", "attn1.add_k_proj", "attn1.add_v_proj")),
    ),
)
AURA = Spelling(
    (
        (r"^joint_transformer_blocks\.", "double_layers."),
        (r"^single_transformer_blocks\.", "single_layers."),
        (r"^(double_layers\..*\.attn)\.to_([qkv])$", r"\1.w2\2"),
        (r"^(double_layers\..*\.attn)\.to_out\.0$", r"\1.w2o"),
        (r"\.attn\.to_([qkv])$", r".attn.w1\1"),
        (r"\.attn\.to_out\.0$", ".attn.w1o"),
        (r"\.attn\.add_([qkv])_proj$", r".attn.w1\1"),
        (r"\.attn\.to_add_out$", ".attn.w1o"),
        (r"^(double_layers\.\d+)\.ff\.", r"\1.mlpX."),
        (r"\.ff_context\.", ".mlpC."),
        (r"^(single_layers\.\d+)\.ff\.", r"\1.mlp."),
        (r"\.linear_1$", ".c_fc1"),
        (r"\.linear_2$", ".c_fc2"),
        (r"\.out_projection$", ".c_proj"),
        (r"^(double_layers\.\d+)\.norm1\.linear$", r"\1.modX.1"),
        (r"\.norm1_context\.linear$", ".modC.1"),
        (r"^(single_layers\.\d+)\.norm1\.linear$", r"\1.modCX.1"),
        (r"^context_embedder$", "cond_seq_linear"),
        (r"^proj_out$", "final_linear"),
        (r"^norm_out\.linear$", "modF.1"),
        (r"^time_step_proj\.c_fc1$", "t_embedder.mlp.0"),
        (r"^time_step_proj\.c_fc2$", "t_embedder.mlp.2"),
    )
)
SANA = Spelling(
    (
        (r"^transformer_blocks\.", "blocks."),
        (r"\.attn1\.to_out\.0$", ".attn.proj"),
        (r"\.attn2\.to_q$", ".cross_attn.q_linear"),
        (r"\.attn2\.to_out\.0$", ".cross_attn.proj"),
        (r"\.ff\.conv_inverted$", ".mlp.inverted_conv.conv"),
        (r"\.ff\.conv_depth$", ".mlp.depth_conv.conv"),
        (r"\.ff\.conv_point$", ".mlp.point_conv.conv"),
        (r"^proj_out$", "final_layer.linear"),
        (r"^patch_embed\.proj$", "x_embedder.proj"),
        (r"^caption_projection\.linear_([12])$", r"y_embedder.y_proj.fc\1"),
        (r"^time_embed\.linear$", "t_block.1"),
        (r"^time_embed\.emb\.timestep_embedder\.linear_1$", "t_embedder.mlp.0"),
        (r"^time_embed\.emb\.timestep_embedder\.linear_2$", "t_embedder.mlp.2"),
    ),
    (
        ("attn.qkv", ("attn1.to_q", "attn1.to_k", "attn1.to_v")),
        ("cross_attn.kv_linear", ("attn2.to_k", "attn2.to_v")),
    ),
)
CASCADE = Spelling(
    (
        (r"\.attention\.to_([qkv])$", r".attention.attn.to_\1"),
        (r"\.attention\.to_out\.0$", ".attention.attn.out_proj"),
    )
)
# AnimateDiff's first files have the attentions as a list.
MOTION = Spelling(
    (
        (r"\.transformer_blocks\.(\d+)\.attn1\.", r".transformer_blocks.\1.attention_blocks.0."),
        (r"\.transformer_blocks\.(\d+)\.attn2\.", r".transformer_blocks.\1.attention_blocks.1."),
        (r"(\.motion_modules\.\d+)\.(?!temporal_transformer)", r"\1.temporal_transformer."),
        (r"\.to_out\.0$", ".to_out"),
    )
)
