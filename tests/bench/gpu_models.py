"""Full-size architectures with random normal weights, made on the device without a download.

Text encoders are small stand-ins of the right width: their time is cached away in serving too.
"""

from __future__ import annotations

from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    T5Config,
    T5EncoderModel,
)

from tests import tiny_pipeline
from tests.engine import tiny_models

SPREAD = 0.02


def build(family: str, device: torch.device, dtype: torch.dtype) -> Any:
    """The pipeline of "sd", "sdxl" or "flux" at full size."""
    with torch.device("meta"):
        pipe = {"sd": _sd, "sdxl": _sdxl, "flux": _flux}[family]()
    generator = torch.Generator(device).manual_seed(0)
    for part in pipe.components.values():
        if isinstance(part, nn.Module):
            part.to_empty(device=device).to(dtype).eval()
            _fill(part, generator)
    return pipe


def _fill(module: nn.Module, generator: torch.Generator) -> None:
    """Normal weights; norms start at one, and position ids count."""
    for name, parameter in module.named_parameters():
        if parameter.dim() < 2:
            parameter.data.fill_(1.0 if "norm" in name and name.endswith("weight") else 0.0)
        else:
            parameter.data.normal_(0, SPREAD, generator=generator)
    for name, buffer in module.named_buffers():
        if "position_ids" in name:
            buffer.copy_(torch.arange(buffer.shape[-1], device=buffer.device).expand(buffer.shape))


def _on_cpu(kind: Any, **options: Any) -> Any:
    """Schedulers compute with numbers, which the meta device does not have."""
    with torch.device("cpu"):
        return kind(**options)


def _text(kind: Any, vocabulary: int, width: int) -> Any:
    return kind(
        CLIPTextConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=width,
            num_hidden_layers=2,
            num_attention_heads=8,
            projection_dim=width,
            bos_token_id=vocabulary - 2,
            eos_token_id=vocabulary - 1,
            pad_token_id=vocabulary - 1,
        )
    )


def _vae(channels: int = 4) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(128, 256, 512, 512),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        latent_channels=channels,
        sample_size=1024,
        shift_factor=0.1 if channels == 16 else None,
    )


def _sd() -> Any:
    tokenizer = tiny_pipeline._tokenizer()
    return StableDiffusionPipeline(
        vae=_vae(),
        text_encoder=_text(CLIPTextModel, len(tokenizer), 768),
        tokenizer=tokenizer,
        unet=UNet2DConditionModel(sample_size=64, cross_attention_dim=768),
        scheduler=_on_cpu(EulerDiscreteScheduler, steps_offset=1, **tiny_models.BETAS),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl() -> Any:
    tokenizer = tiny_pipeline._tokenizer()
    unet = UNet2DConditionModel(
        sample_size=128,
        block_out_channels=(320, 640, 1280),
        attention_head_dim=(5, 10, 20),
        cross_attention_dim=2048,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=256,
        projection_class_embeddings_input_dim=2816,
        transformer_layers_per_block=(1, 2, 10),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    )
    return StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=_text(CLIPTextModel, len(tokenizer), 768),
        text_encoder_2=_text(CLIPTextModelWithProjection, len(tokenizer), 1280),
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=_on_cpu(EulerDiscreteScheduler, **tiny_models.BETAS),
    )


def _flux() -> Any:
    tokenizer, pieces = tiny_pipeline._tokenizer(), tiny_models.t5_tokenizer()
    t5 = T5Config(vocab_size=len(pieces), d_model=4096, d_kv=64, d_ff=4096, num_layers=1)
    return FluxPipeline(
        scheduler=_on_cpu(FlowMatchEulerDiscreteScheduler, use_dynamic_shifting=True, shift=3.0),
        vae=_vae(16),
        text_encoder=_text(CLIPTextModel, len(tokenizer), 768),
        tokenizer=tokenizer,
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=pieces,
        transformer=FluxTransformer2DModel(guidance_embeds=True),
    )
