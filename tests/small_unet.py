"""The starter's U-Net with few channels."""

from __future__ import annotations

from typing import Any

from diffusers import UNet2DConditionModel

from generation.starter.layout import MODEL


def small_unet(width: int, **changes: Any) -> UNet2DConditionModel:
    """Random weights; reads states [N, L, `width`]; `changes` are to its configuration."""
    shipped = UNet2DConditionModel.load_config(MODEL / "unet")
    small = {"block_out_channels": (16, 32, 32), "cross_attention_dim": width}
    own_states = {"encoder_hid_dim": None, "encoder_hid_dim_type": None}
    unet: UNet2DConditionModel = UNet2DConditionModel.from_config(
        shipped | small | own_states | changes
    )
    return unet
