"""A tiny Stable Diffusion with random weights, built without any download; and LoRA files for it.

It draws noise, but walks every line that a real model walks, in milliseconds.
"""

from __future__ import annotations

from pathlib import Path

import torch
from diffusers import AutoencoderKL, DDIMScheduler, StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from tokenizers.pre_tokenizers import ByteLevel
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

WIDTH = 32
NATIVE_SIZE = 32


def build(folder: Path, *, seed: int = 0) -> Path:
    """Save a `StableDiffusionPipeline` that decodes 32 x 32 pixels into `folder`."""
    torch.manual_seed(seed)
    tokenizer = _tokenizer()
    pipe = StableDiffusionPipeline(
        vae=AutoencoderKL(
            block_out_channels=(16, 16),
            norm_num_groups=8,
            down_block_types=("DownEncoderBlock2D",) * 2,
            up_block_types=("UpDecoderBlock2D",) * 2,
            latent_channels=4,
            sample_size=NATIVE_SIZE,
        ),
        text_encoder=_text_encoder(len(tokenizer)),
        tokenizer=tokenizer,
        unet=_unet(),
        scheduler=DDIMScheduler(steps_offset=1, clip_sample=False, set_alpha_to_one=False),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipe.save_pretrained(folder, safe_serialization=True)
    return folder


def build_adapter(path: Path, model: Path, *, rank: int = 4, seed: int = 1) -> Path:
    """Save a LoRA of the model's attention layers with random, not zero, `lora_B`."""
    unet = UNet2DConditionModel.from_pretrained(model, subfolder="unet")
    targets = ["to_q", "to_k", "to_v", "to_out.0"]
    unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=targets))
    generator = torch.Generator().manual_seed(seed)
    state = {
        key: torch.randn(value.shape, generator=generator) * 0.5
        for key, value in get_peft_model_state_dict(unet).items()
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    StableDiffusionPipeline.save_lora_weights(
        path.parent, unet_lora_layers=state, weight_name=path.name
    )
    return path


def _tokenizer() -> CLIPTokenizer:
    """Every byte is a token, with and without the end-of-word mark; no merges."""
    letters = sorted(ByteLevel.alphabet())
    words = letters + [f"{letter}</w>" for letter in letters]
    words += ["<|startoftext|>", "<|endoftext|>"]
    vocabulary = {word: index for index, word in enumerate(words)}
    return CLIPTokenizer(vocab=vocabulary, merges=[], model_max_length=77)


def _text_encoder(vocabulary: int) -> CLIPTextModel:
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=1,
        num_attention_heads=2,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )
    return CLIPTextModel(config)


def _unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=NATIVE_SIZE // 2,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=8,
        cross_attention_dim=WIDTH,
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
    )
