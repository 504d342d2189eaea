"""Architectures of videos and music whose adapters are told apart: see `foreign_sources`."""

from __future__ import annotations

from typing import Any

from diffusers.pipelines.ltx2.connectors import LTX2TextConnectors

from adapters.families.foreign_sources import DEFAULT, KANDINSKY, Origin
from adapters.formats import spelling_rules as rules


def _wan(heads: int, ffn: int, layers: int, **said: Any) -> dict[str, Any]:
    return {"num_attention_heads": heads, "ffn_dim": ffn, "num_layers": layers} | said


IMAGE = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 5120}
SMALL_IMAGE = {"in_channels": 36, "image_dim": 1280, "added_kv_proj_dim": 1536}
VIDEOS: dict[str, Origin] = {
    "wan-14b": Origin(
        "Wan 2.1 or 2.2 (14B)",
        "WanTransformer3DModel",
        {"text": DEFAULT, "image": IMAGE, "image 2.2": {"in_channels": 36}},
        (rules.WAN,),
    ),
    "wan-1.3b": Origin(
        "Wan 2.1 (1.3B)",
        "WanTransformer3DModel",
        {"text": _wan(12, 8960, 30), "image": _wan(12, 8960, 30, **SMALL_IMAGE)},
        (rules.WAN,),
    ),
    "wan-5b": Origin(
        "Wan 2.2 (5B)",
        "WanTransformer3DModel",
        {"": _wan(24, 14336, 30, in_channels=48, out_channels=48)},
        (rules.WAN,),
    ),
    "wan-vace-14b": Origin("Wan VACE (14B)", "WanVACETransformer3DModel", spellings=(rules.WAN,)),
    "wan-vace-1.3b": Origin(
        "Wan VACE (1.3B)",
        "WanVACETransformer3DModel",
        {"": _wan(12, 8960, 30, vace_layers=list(range(0, 30, 2)))},
        (rules.WAN,),
    ),
    "wan-animate": Origin(
        "Wan Animate",
        "WanAnimateTransformer3DModel",
        {"": {"added_kv_proj_dim": 5120}},
        (rules.WAN,),
    ),
    "wan-animate-2": Origin("Wan Animate 2", "WanAnimate2Transformer3DModel"),
    "skyreels-v2-14b": Origin(
        "SkyReels V2 (14B)",
        "SkyReelsV2Transformer3DModel",
        {
            "text": _wan(40, 13824, 40, inject_sample_info=True),
            "image": _wan(40, 13824, 40, **IMAGE),
        },
        (rules.WAN,),
    ),
    "skyreels-v2-1.3b": Origin(
        "SkyReels V2 (1.3B)",
        "SkyReelsV2Transformer3DModel",
        {
            "text": _wan(12, 8960, 30, inject_sample_info=True),
            "image": _wan(12, 8960, 30, **SMALL_IMAGE),
        },
        (rules.WAN,),
    ),
    "helios": Origin("Helios", "HeliosTransformer3DModel", spellings=(rules.WAN,)),
    "anyflow-far": Origin("AnyFlow", "AnyFlowFARTransformer3DModel", spellings=(rules.WAN,)),
    "chronoedit": Origin("ChronoEdit", "ChronoEditTransformer3DModel", {"": IMAGE}, (rules.WAN,)),
    "hunyuan-video": Origin(
        "HunyuanVideo",
        "HunyuanVideoTransformer3DModel",
        {
            "text": DEFAULT,
            "image": {"in_channels": 33, "guidance_embeds": False},
            "SkyReels": {"in_channels": 32},
        },
        (rules.HUNYUAN, rules.HUNYUAN_AUTHORS),
    ),
    "framepack": Origin(
        "HunyuanVideo FramePack",
        "HunyuanVideoFramepackTransformer3DModel",
        {"": {"has_image_proj": True, "has_clean_x_embedder": True}},
        (rules.HUNYUAN, rules.HUNYUAN_AUTHORS),
    ),
    "hunyuan-video-1.5": Origin(
        "HunyuanVideo 1.5",
        "HunyuanVideo15Transformer3DModel",
        spellings=(rules.HUNYUAN, rules.HUNYUAN_AUTHORS, rules.HUNYUAN_APART),
    ),
    "ltx-video-2b": Origin("LTX-Video (2B)", "LTXVideoTransformer3DModel", spellings=(rules.LTX,)),
    "ltx-video-13b": Origin(
        "LTX-Video (13B)",
        "LTXVideoTransformer3DModel",
        {"": {"num_layers": 48, "attention_head_dim": 128, "cross_attention_dim": 4096}},
        (rules.LTX,),
    ),
    "ltx-2": Origin(
        "LTX-2",
        "LTX2VideoTransformer3DModel",
        {
            "": DEFAULT,
            "2.3": {
                "gated_attn": True,
                "cross_attn_mod": True,
                "audio_gated_attn": True,
                "audio_cross_attn_mod": True,
                "use_prompt_embeddings": False,
            },
        },
        (rules.LTX,),
        {"connectors.": LTX2TextConnectors},
    ),
    "sana-video": Origin("Sana Video", "SanaVideoTransformer3DModel", spellings=(rules.SANA,)),
    "cogvideox-2b": Origin("CogVideoX (2B)", "CogVideoXTransformer3DModel"),
    "cogvideox-5b": Origin(
        "CogVideoX (5B)",
        "CogVideoXTransformer3DModel",
        {
            "": {"num_attention_heads": 48, "num_layers": 42},
            "1.5": {
                "num_attention_heads": 48,
                "num_layers": 42,
                "patch_size_t": 2,
                "ofs_embed_dim": 512,
                "patch_bias": False,
            },
        },
    ),
    "consisid": Origin(
        "ConsisID",
        "ConsisIDTransformer3DModel",
        {"": {"num_attention_heads": 48, "num_layers": 42, "is_train_face": True}},
    ),
    "mochi": Origin("Mochi 1", "MochiTransformer3DModel", spellings=(rules.MOCHI,)),
    "kandinsky5-lite": Origin(
        "Kandinsky 5 Video Lite",
        "Kandinsky5Transformer3DModel",
        {"": KANDINSKY | {"model_dim": 1792, "ff_dim": 7168, "visual_cond": True}},
    ),
    "kandinsky5-pro": Origin(
        "Kandinsky 5 Pro",
        "Kandinsky5Transformer3DModel",
        {
            "": KANDINSKY
            | {
                "model_dim": 4096,
                "ff_dim": 16384,
                "num_text_blocks": 4,
                "num_visual_blocks": 60,
                "time_dim": 1024,
                "visual_cond": True,
            }
        },
    ),
    "minimax-h3": Origin("MiniMax H3", "MiniMaxH3Transformer3DModel", spellings=(rules.MINIMAX,)),
    "animatediff": Origin(
        "AnimateDiff's motion modules", "MotionAdapter", spellings=(rules.MOTION,)
    ),
    "animatediff-sdxl": Origin(
        "AnimateDiff's motion modules for Stable Diffusion XL",
        "MotionAdapter",
        {"": {"block_out_channels": (320, 640, 1280)}},
        (rules.MOTION,),
    ),
    "text-to-video": Origin("ModelScope's text-to-video", "UNet3DConditionModel", kin="sd21"),
}
