"""Architectures of pictures whose adapters are told apart, and the published sizes of each.

Every architecture that diffusers 0.42 has a LoRA loader for and that is not served here, and a few
more whose adapters are about; those of videos stand in `foreign_videos`. Only `derive_foreign` uses
this: its outcome is data.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import diffusers
from torch import nn

from adapters.formats import spelling_rules as rules
from adapters.formats.spelling_rules import Spelling

DEFAULT: dict[str, Any] = {}


@dataclass(frozen=True, slots=True)
class Origin:
    """One architecture in all its sizes. `class_name` is diffusers'; `beside` are further modules
    that its adapters change, by the prefix under which diffusers names them; `kin` is the served
    family of which it is a variant: their adapters go with each other, so no file is doubted."""

    title: str
    class_name: str
    configs: dict[str, dict[str, Any]] = field(default_factory=lambda: {"": DEFAULT})
    spellings: tuple[Spelling, ...] = ()
    beside: dict[str, type[nn.Module]] = field(default_factory=dict)
    kin: str = ""


def _flux2(heads: int, double: int, single: int, joint: int) -> dict[str, Any]:
    return {
        "num_attention_heads": heads,
        "num_layers": double,
        "num_single_layers": single,
        "joint_attention_dim": joint,
        "guidance_embeds": False,
    }


KANDINSKY = {"in_visual_dim": 16, "out_visual_dim": 16}
# Of two that have the same layers the better known comes first: it is named first.
IMAGES: dict[str, Origin] = {
    "qwen-image": Origin("Qwen-Image", "QwenImageTransformer2DModel"),
    "qwen-image-2.1": Origin("Qwen-Image 2.1", "QwenImage21Transformer2DModel"),
    "z-image-omni": Origin(
        "Z-Image Omni",
        "ZImageTransformer2DModel",
        {"omni": {"siglip_feat_dim": 1152}},
        (rules.Z_IMAGE,),
        kin="z-image",
    ),
    "flux2": Origin("FLUX.2 dev", "Flux2Transformer2DModel", spellings=(rules.FLUX2,)),
    "flux2-klein-4b": Origin(
        "FLUX.2 klein 4B",
        "Flux2Transformer2DModel",
        {"": _flux2(24, 5, 20, 7680)},
        (rules.FLUX2,),
    ),
    "flux2-klein-9b": Origin(
        "FLUX.2 klein 9B",
        "Flux2Transformer2DModel",
        {"": _flux2(32, 8, 24, 12288)},
        (rules.FLUX2,),
    ),
    "flux3": Origin(
        "FLUX.3",
        "Flux3Transformer2DModel",
        {"": DEFAULT, "flow map": {"flow_map": True}},
        (rules.FLUX3,),
    ),
    "flux-fill": Origin(
        "FLUX.1 Fill",
        "FluxTransformer2DModel",
        {"": {"in_channels": 384, "out_channels": 64, "guidance_embeds": True}},
        (rules.BFL,),
        kin="flux",
    ),
    "flux-control": Origin(
        "FLUX.1 Canny or Depth",
        "FluxTransformer2DModel",
        {"": {"in_channels": 128, "out_channels": 64, "guidance_embeds": True}},
        (rules.BFL,),
        kin="flux",
    ),
    "chroma": Origin("Chroma", "ChromaTransformer2DModel", spellings=(rules.BFL,)),
    "hunyuan-image": Origin(
        "HunyuanImage 2.1",
        "HunyuanImageTransformer2DModel",
        {"": {"text_embed_2_dim": 1472}},
        (rules.HUNYUAN, rules.HUNYUAN_AUTHORS, rules.HUNYUAN_APART),
    ),
    "hidream": Origin(
        "HiDream-I1",
        "HiDreamImageTransformer2DModel",
        {
            "": {
                "patch_size": 2,
                "in_channels": 16,
                "caption_channels": [4096, 4096],
                "llama_layers": list(range(32)),
            }
        },
    ),
    "lumina2": Origin(
        "Lumina Image 2.0",
        "Lumina2Transformer2DModel",
        {"": {"cap_feat_dim": 2304}},
        (rules.LUMINA2,),
    ),
    "auraflow": Origin("AuraFlow", "AuraFlowTransformer2DModel", spellings=(rules.AURA,)),
    "sana-1.6b": Origin("Sana (1.6B)", "SanaTransformer2DModel", spellings=(rules.SANA,)),
    "sana-0.6b": Origin(
        "Sana (0.6B)",
        "SanaTransformer2DModel",
        {
            "": {
                "num_attention_heads": 36,
                "num_layers": 28,
                "num_cross_attention_heads": 16,
                "cross_attention_head_dim": 72,
                "cross_attention_dim": 1152,
            }
        },
        (rules.SANA,),
    ),
    "sana-4.8b": Origin(
        "Sana (4.8B)", "SanaTransformer2DModel", {"": {"num_layers": 60}}, (rules.SANA,)
    ),
    "cogview4": Origin("CogView4", "CogView4Transformer2DModel"),
    "kandinsky5-image": Origin(
        "Kandinsky 5 Image Lite",
        "Kandinsky5Transformer3DModel",
        {"": KANDINSKY | {"model_dim": 2560, "ff_dim": 10240, "num_visual_blocks": 50}},
    ),
    "kandinsky5": Origin("Kandinsky 5", "Kandinsky5Transformer3DModel"),
    "krea2": Origin("Krea 2", "Krea2Transformer2DModel", spellings=(rules.KREA2,)),
    "ideogram4": Origin("Ideogram 4", "Ideogram4Transformer2DModel", spellings=(rules.IDEOGRAM4,)),
    "ernie-image": Origin("Ernie Image", "ErnieImageTransformer2DModel"),
    "bria": Origin(
        "Bria 3.2",
        "BriaTransformer2DModel",
        {"": {"num_layers": 8, "num_single_layers": 28, "pooled_projection_dim": None}},
    ),
    "bria-fibo": Origin(
        "Bria Fibo",
        "BriaFiboTransformer2DModel",
        {"": {"num_layers": 8, "in_channels": 48}},
    ),
    "bria-fibo-2": Origin("Bria Fibo 2", "BriaFibo2Transformer2DModel"),
    "anima": Origin(
        "Anima",
        "CosmosTransformer3DModel",
        {"": {"num_attention_heads": 16}},
        (rules.ANIMA,),
        {"text_conditioner.": diffusers.AnimaTextConditioner},
    ),
    "cosmos-2b": Origin(
        "Cosmos Predict 2 (2B)",
        "CosmosTransformer3DModel",
        {
            "": {"num_attention_heads": 16},
            "2.5": {
                "num_attention_heads": 16,
                "use_crossattn_projection": True,
                "crossattn_proj_in_channels": 100352,
            },
        },
        (rules.COSMOS,),
    ),
    "cosmos-14b": Origin(
        "Cosmos Predict 2 (14B)",
        "CosmosTransformer3DModel",
        {"": {"num_attention_heads": 40, "num_layers": 36}},
        (rules.COSMOS,),
    ),
    "cosmos-7b": Origin("Cosmos 1 (7B)", "CosmosTransformer3DModel", spellings=(rules.COSMOS,)),
    "ace-step": Origin("ACE-Step 1.5", "AceStepTransformer1DModel", spellings=(rules.ACE_STEP,)),
    "proteina": Origin("RFD4 Proteina", "RFD4ProteinaTransformer"),
    "amused": Origin("aMUSEd", "UVit2DModel", {"256": DEFAULT, "512": {"downsample": True}}),
    "kandinsky3": Origin("Kandinsky 3", "Kandinsky3UNet"),
    "pixart": Origin(
        "PixArt",
        "PixArtTransformer2DModel",
        {"": {"caption_channels": 4096}},
    ),
    "hunyuan-dit": Origin(
        "HunyuanDiT",
        "HunyuanDiT2DModel",
        {
            "": {
                "in_channels": 4,
                "hidden_size": 1408,
                "num_layers": 40,
                "patch_size": 2,
                "mlp_ratio": 4.3637,
            }
        },
    ),
    "stable-cascade": Origin(
        "Stable Cascade",
        "StableCascadeUNet",
        {
            "": {
                "in_channels": 16,
                "out_channels": 16,
                "conditioning_dim": 2048,
                "block_out_channels": (2048, 2048),
                "num_attention_heads": (32, 32),
                "down_num_layers_per_block": (8, 24),
                "up_num_layers_per_block": (24, 8),
                "down_blocks_repeat_mappers": (1, 1),
                "up_blocks_repeat_mappers": (1, 1),
                "block_types_per_layer": (
                    ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
                    ("SDCascadeResBlock", "SDCascadeTimestepBlock", "SDCascadeAttnBlock"),
                ),
                "clip_text_in_channels": 1280,
                "clip_text_pooled_in_channels": 1280,
                "clip_image_in_channels": 768,
                "switch_level": (False,),
            }
        },
        (rules.CASCADE,),
    ),
    "sdxl-refiner": Origin(
        "Stable Diffusion XL's refiner",
        "UNet2DConditionModel",
        {
            "": {
                "block_out_channels": [384, 768, 1536, 1536],
                "down_block_types": [
                    "DownBlock2D",
                    "CrossAttnDownBlock2D",
                    "CrossAttnDownBlock2D",
                    "DownBlock2D",
                ],
                "up_block_types": [
                    "UpBlock2D",
                    "CrossAttnUpBlock2D",
                    "CrossAttnUpBlock2D",
                    "UpBlock2D",
                ],
                "transformer_layers_per_block": 4,
                "attention_head_dim": [6, 12, 24, 24],
                "cross_attention_dim": 1280,
                "use_linear_projection": True,
            }
        },
    ),
}
