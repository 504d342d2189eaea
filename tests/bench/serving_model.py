"""The model and adapters that all contenders of the serving benchmark load: random weights."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    LCMScheduler,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict

from tests import tiny_pipeline

SIDE = 128
RANK = 8
# What kohya's trainer adapts unless told otherwise: the linears and 1×1 convolutions of each
# transformer, so what most files that users upload change.
TARGETS = [
    *("to_q", "to_k", "to_v", "to_out.0"),
    *("ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"),
]


def build(folder: Path, *, adapters: int) -> Path:
    """Save the model and `adapters` LoRA files a0.safetensors, a1.safetensors, … beside it, anew:
    what an older version of this left is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    torch.manual_seed(0)
    _pipeline().save_pretrained(folder, safe_serialization=True)
    unet: Any = UNet2DConditionModel.from_pretrained(folder, subfolder="unet")
    unet.add_adapter(LoraConfig(r=RANK, lora_alpha=RANK, target_modules=TARGETS))
    shapes = {key: value.shape for key, value in get_peft_model_state_dict(unet).items()}
    for number in range(adapters):
        _save_adapter(folder, number, shapes)
    return folder


def adapter_path(folder: Path, number: int) -> Path:
    return folder / f"a{number}.safetensors"


def _save_adapter(folder: Path, number: int, shapes: dict[str, torch.Size]) -> None:
    generator = torch.Generator().manual_seed(number)
    layers = {
        key: torch.randn(shape, generator=generator) * 0.3 / shape[1] ** 0.5
        for key, shape in shapes.items()
    }
    save: Any = StableDiffusionPipeline.save_lora_weights
    save(folder, unet_lora_layers=layers, weight_name=adapter_path(folder, number).name)


def _pipeline() -> Any:
    tokenizer = tiny_pipeline._tokenizer()
    return StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(16,) * 4,
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
            latent_channels=4,
            sample_size=SIDE,
        ),
        text_encoder=tiny_pipeline._text_encoder(len(tokenizer)),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(
            sample_size=SIDE // 8,
            block_out_channels=(32, 64),
            layers_per_block=1,
            norm_num_groups=8,
            attention_head_dim=(2, 4),  # read as the number of heads: 16 channels each
            cross_attention_dim=tiny_pipeline.WIDTH,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        ),
        scheduler=LCMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
