"""Write the families' layers: `python -m adapters.families.derive`.

The configurations are the published ones of each family, of Flux those of FLUX.1-dev; the
starter's is read from the folder that ships with the project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from adapters.base_models import architecture

FOLDER = Path(__file__).parent
STARTER = FOLDER.parent.parent / "generation" / "starter" / "model"
CLIP_L = {
    "vocab_size": 49408,
    "hidden_size": 768,
    "intermediate_size": 3072,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
}
OPEN_CLIP_H = CLIP_L | {
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 23,
    "num_attention_heads": 16,
}
OPEN_CLIP_G = CLIP_L | {
    "hidden_size": 1280,
    "intermediate_size": 5120,
    "num_hidden_layers": 32,
    "num_attention_heads": 20,
    "projection_dim": 1280,
}
T5_XXL = {
    "vocab_size": 32128,
    "d_model": 4096,
    "d_kv": 64,
    "d_ff": 10240,
    "num_layers": 24,
    "num_heads": 64,
    "feed_forward_proj": "gated-gelu",
}
XL_UNET = {
    "sample_size": 128,
    "block_out_channels": [320, 640, 1280],
    "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
    "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"],
    "transformer_layers_per_block": [1, 2, 10],
    "attention_head_dim": [5, 10, 20],
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
CLIPS = {
    "text_encoder": ("CLIPTextModelWithProjection", CLIP_L | {"projection_dim": 768}),
    "text_encoder_2": ("CLIPTextModelWithProjection", OPEN_CLIP_G),
}


def _sd3(layers: int, **said: Any) -> tuple[str, dict[str, Any]]:
    width = {"num_attention_heads": layers, "caption_projection_dim": 64 * layers}
    return "SD3Transformer2DModel", {"num_layers": layers} | width | said


SOURCES: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "sd15": {
        "unet": ("UNet2DConditionModel", {"sample_size": 64, "cross_attention_dim": 768}),
        "text_encoder": ("CLIPTextModel", CLIP_L),
    },
    "sd21": {
        "unet": (
            "UNet2DConditionModel",
            {
                "sample_size": 96,
                "cross_attention_dim": 1024,
                "attention_head_dim": [5, 10, 20, 20],
                "use_linear_projection": True,
            },
        ),
        "text_encoder": ("CLIPTextModel", OPEN_CLIP_H),
    },
    "sdxl": {
        "unet": ("UNet2DConditionModel", XL_UNET),
        "text_encoder": ("CLIPTextModel", CLIP_L),
        "text_encoder_2": ("CLIPTextModelWithProjection", OPEN_CLIP_G),
    },
    "flux": {
        "transformer": ("FluxTransformer2DModel", {"guidance_embeds": True}),
        "text_encoder": ("CLIPTextModel", CLIP_L),
        "text_encoder_2": ("T5EncoderModel", T5_XXL),
    },
    "sd3-medium": {"transformer": _sd3(24)} | CLIPS,
    "sd35-medium": {
        "transformer": _sd3(24, dual_attention_layers=list(range(13)), qk_norm="rms_norm")
    }
    | CLIPS,
    "sd35-large": {"transformer": _sd3(38, qk_norm="rms_norm")} | CLIPS,
    "z-image": {"transformer": ("ZImageTransformer2DModel", {})},
}


def main() -> None:
    """Write the layers of every served family beside this script, from diffusers' own classes."""
    families = {
        family: {
            component: architecture.layers_of(class_name, config)
            for component, (class_name, config) in components.items()
        }
        for family, components in SOURCES.items()
    }
    families["starter"] = architecture.layers_of_folder(STARTER)
    for family, components in families.items():
        write(FOLDER / f"{family}.json", components)


def write(path: Path, components: dict[str, architecture.Layers]) -> None:
    """One layer a line, so that a change of dimensions is read in a diff."""
    blocks = []
    for component, layers in components.items():
        lines = ",\n".join(
            f"  {json.dumps(name)}: {json.dumps(size)}" for name, size in layers.items()
        )
        blocks.append(f" {json.dumps(component)}: {{\n{lines}\n }}")
    path.write_text("{\n" + ",\n".join(blocks) + "\n}\n")


if __name__ == "__main__":
    main()
