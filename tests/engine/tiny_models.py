"""A tiny model of each family with random weights, and LoRA files for it, without any download."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
    ZImagePipeline,
    ZImageTransformer2DModel,
)
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    PreTrainedTokenizerFast,
    Qwen3Config,
    Qwen3Model,
    T5Config,
    T5EncoderModel,
)

from generation.starter.networks.stock_networks import build_scheduler
from tests import tiny_pipeline
from tests.small_unet import small_unet

WIDTH = 32
BETAS: dict[str, Any] = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
}
TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2", "proj_in", "proj_out"]
TEXT_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]


def build(family: str, folder: Path) -> Path:
    """Save the tiny model of `family`, one of MODELS, into `folder`."""
    torch.manual_seed(0)
    MODELS[family]().save_pretrained(folder, safe_serialization=True)
    return folder


def _sd() -> Any:
    """Stable Diffusion with Euler; `proj_in` and `proj_out` are convolutions, as in SD 1.5."""
    tokenizer = tiny_pipeline._tokenizer()
    return StableDiffusionPipeline(
        vae=_vae(4),
        text_encoder=tiny_pipeline._text_encoder(len(tokenizer)),
        tokenizer=tokenizer,
        unet=tiny_pipeline._unet(),
        scheduler=EulerDiscreteScheduler(**BETAS, timestep_spacing="leading", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _starter() -> Any:
    """The starter's U-Net (text in the time embedding), scheduler and v-prediction, smaller."""
    tokenizer = tiny_pipeline._tokenizer()
    return StableDiffusionPipeline(
        vae=_vae(16),
        text_encoder=tiny_pipeline._text_encoder(len(tokenizer)),
        tokenizer=tokenizer,
        unet=small_unet(WIDTH),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _sdxl() -> Any:
    tokenizer = tiny_pipeline._tokenizer()
    pooled = CLIPTextModelWithProjection(_text_config(len(tokenizer), layers=2))
    unet = UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(16, 32),
        layers_per_block=1,
        norm_num_groups=8,
        attention_head_dim=(2, 4),
        cross_attention_dim=2 * WIDTH,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
        transformer_layers_per_block=(1, 2),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    return StableDiffusionXLPipeline(
        vae=_vae(4),
        text_encoder=CLIPTextModel(_text_config(len(tokenizer), layers=2)),
        text_encoder_2=pooled,
        tokenizer=tokenizer,
        tokenizer_2=tokenizer,
        unet=unet,
        scheduler=EulerDiscreteScheduler(**BETAS),
        force_zeros_for_empty_prompt=True,
    )


def _sdxl_v() -> Any:
    """As NoobAI's: v-prediction whose first step is noise alone (zero terminal SNR)."""
    pipe = _sdxl()
    pipe.scheduler = EulerDiscreteScheduler(
        **BETAS,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )
    return pipe


def _flux() -> Any:
    tokenizer, pieces = tiny_pipeline._tokenizer(), t5_tokenizer()
    t5 = T5Config(vocab_size=len(pieces), d_model=WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1)
    transformer = FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        guidance_embeds=True,
        axes_dims_rope=(4, 6, 6),
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=_vae(4),
        text_encoder=CLIPTextModel(_text_config(len(tokenizer), layers=1)),
        tokenizer=tokenizer,
        text_encoder_2=T5EncoderModel(t5),
        tokenizer_2=pieces,
        transformer=transformer,
    )


def _sd3() -> Any:
    """As 3.5 medium's: a block of two attentions, and norms of queries and keys."""
    tokenizer, pieces = tiny_pipeline._tokenizer(), t5_tokenizer()
    t5 = T5Config(vocab_size=len(pieces), d_model=2 * WIDTH, d_kv=8, d_ff=WIDTH, num_layers=1)
    clips = [CLIPTextModelWithProjection(_text_config(len(tokenizer), layers=2)) for _ in range(2)]
    transformer = SD3Transformer2DModel(
        sample_size=32,
        in_channels=4,
        out_channels=4,
        num_layers=2,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=WIDTH,
        pooled_projection_dim=2 * WIDTH,
        qk_norm="rms_norm",
        dual_attention_layers=(0,),
    )
    return StableDiffusion3Pipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_vae(4),
        text_encoder=clips[0],
        tokenizer=tokenizer,
        text_encoder_2=clips[1],
        tokenizer_2=tokenizer,
        text_encoder_3=T5EncoderModel(t5),
        tokenizer_3=pieces,
        transformer=transformer,
    )


def _z_image() -> Any:
    pieces = t5_tokenizer()
    pieces.chat_template = "<user>{{ messages[0].content }}<assistant>"
    text = Qwen3Config(
        vocab_size=len(pieces),
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        head_dim=16,
    )
    transformer = ZImageTransformer2DModel(
        in_channels=4,
        dim=WIDTH,
        n_layers=2,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=WIDTH,
        axes_dims=[8, 4, 4],
        axes_lens=[1024, 32, 32],
    )
    for token in (transformer.x_pad_token, transformer.cap_pad_token):
        torch.nn.init.normal_(token)
    return ZImagePipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True, shift=3.0),
        vae=_vae(4),
        text_encoder=Qwen3Model(text),
        tokenizer=pieces,
        transformer=transformer,
    )


MODELS = {
    "sd": _sd,
    "starter": _starter,
    "sdxl": _sdxl,
    "sdxl-v": _sdxl_v,
    "flux": _flux,
    "sd3": _sd3,
    "z-image": _z_image,
}


def t5_tokenizer() -> PreTrainedTokenizerFast:
    """Every byte is a piece."""
    words = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    words += [(letter, -2.0) for letter in sorted(pre_tokenizers.ByteLevel.alphabet())]
    pieces = Tokenizer(models.Unigram(words, unk_id=2))
    pieces.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return PreTrainedTokenizerFast(
        tokenizer_object=pieces, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def _vae(channels: int) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(16, 16),
        norm_num_groups=8,
        down_block_types=("DownEncoderBlock2D",) * 2,
        up_block_types=("UpDecoderBlock2D",) * 2,
        latent_channels=channels,
        sample_size=32,
        shift_factor=0.1 if channels == 4 else None,
    )


def _text_config(vocabulary: int, *, layers: int) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=layers,
        num_attention_heads=2,
        projection_dim=WIDTH,
        bos_token_id=vocabulary - 2,
        eos_token_id=vocabulary - 1,
        pad_token_id=vocabulary - 1,
    )


def build_adapter(
    path: Path,
    pipe: Any,
    *,
    rank: int = 4,
    seed: int = 1,
    targets: Sequence[str] = TARGETS,
    has_text: bool = False,
    alpha: float | None = None,
    strength: float = 0.5,
) -> Path:
    """Save a LoRA with random, not zero, `lora_B`. With `alpha` its metadata says so.

    Stronger ones would make a random network chaotic: rounding alone would change its picture.
    """
    network = "transformer" if hasattr(pipe, "transformer") else "unet"
    parts = {network: list(targets)}
    if has_text and hasattr(pipe, "load_lora_into_text_encoder"):  # language models take none
        parts["text_encoder"] = TEXT_TARGETS
    generator = torch.Generator().manual_seed(seed)
    layers, metadata = {}, {}
    for part, names in parts.items():
        module = getattr(pipe, part)
        config = LoraConfig(r=rank, lora_alpha=alpha or rank, target_modules=names)
        module.add_adapter(config, adapter_name="made")
        state = get_peft_model_state_dict(module, adapter_name="made")
        layers[f"{part}_lora_layers"] = {
            key: torch.randn(value.shape, generator=generator) * strength / value.shape[1] ** 0.5
            for key, value in state.items()
        }
        metadata[f"{part}_lora_adapter_metadata"] = config.to_dict()
        module.delete_adapters("made") if hasattr(module, "delete_adapters") else None
    path.parent.mkdir(parents=True, exist_ok=True)
    type(pipe).save_lora_weights(
        path.parent, weight_name=path.name, **layers, **(metadata if alpha else {})
    )
    return path
