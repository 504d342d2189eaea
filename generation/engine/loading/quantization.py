"""FP8 weights for a network's linears, through torchao.

A weight becomes numbers of 8 bits (E4M3, arXiv 2209.05433) with one float32 scale for each output
channel. With "fp8" a layer turns it back into the network's own dtype in a forward; with
"fp8_dynamic" it rounds what it is given the same way, with a scale for each token, and a GPU of
capability 8.9 multiplies both in FP8. What a layer answers, biases and the adapters beside it are
of the network's dtype either way.

Quantised are the linears of attention and feed-forward in the repeated blocks: nearly all that a
U-Net's linears hold, and what there are many of in a transformer. The rest is left as it is:

- norms, convolutions, embeddings and text encoders are no linears of the network;
- modulations (Flux's `norm….linear`, a U-Net's `time_emb_proj`) scale a channel of every token
  alike, so their error does not average out over the tokens;
- the ends (`x_embedder`, `context_embedder`, time embeddings, `norm_out`, the last `proj_out`) have
  next to no weights, and all that a network reads or answers passes through them;
- a layer with a side that 16 does not divide fits no FP8 matrix kernel, and is small.
"""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import Tensor, nn

from generation.engine.jobs import Fp8NotPossible

AS_SAVED, FP8, FP8_DYNAMIC = "as_saved", "fp8", "fp8_dynamic"
WEIGHTS = (AS_SAVED, FP8, FP8_DYNAMIC)
QUANTISED = (FP8, FP8_DYNAMIC)
LAYERS = (
    r"\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)$"
    r"|\.(ff|ff_context)\.net\.(0\.proj|2)$"
    r"|\.feed_forward\.w[123]$"
    r"|\.(proj_in|proj_out|proj_mlp)$"
)
SIDE_MULTIPLE = 16
LEAST = 1e-12  # of a token's largest number: tokens of zeros, such as no negative prompt, have none


def quantise(network: nn.Module, device: torch.device, weights: str = FP8) -> None:
    """Quantise in place and move to `device`, layer by layer: all of it need not fit there before.

    Raises Fp8NotPossible.
    """
    require(weights, device)
    layers = layers_to_quantise(network)
    if not layers:
        raise Fp8NotPossible(
            message=f"{type(network).__name__} has no linear layer that FP8 weights are made for.",
            advice="Serve it with ENGINE_WEIGHTS=as_saved.",
        )
    quantize_, config = _torchao(is_dynamic=weights == FP8_DYNAMIC)
    quantize_(network, config, filter_fn=lambda _, name: name in layers, device=device)
    for layer in layers.values():
        _clear_rows_of_zeros(layer.weight)


def require(weights: str, device: torch.device) -> None:
    """Raises Fp8NotPossible where `weights` cannot be served on `device`."""
    if weights == FP8_DYNAMIC and not multiplies_fp8(device):
        raise Fp8NotPossible(
            message="This device does not multiply in FP8: that takes a GPU of capability 8.9.",
            advice="Serve it with ENGINE_WEIGHTS=fp8, or as_saved.",
        )


def layers_to_quantise(network: nn.Module) -> dict[str, nn.Linear]:
    """By name, the linears that FP8 weights are made for; the module says which and why."""
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
        and re.search(LAYERS, name)
        and not (layer.in_features % SIDE_MULTIPLE or layer.out_features % SIDE_MULTIPLE)
    }


def is_quantised(network: nn.Module) -> bool:
    """Whether any weight of `network` is a quantised tensor already."""
    return any(hasattr(weight, "__tensor_flatten__") for weight in network.parameters())


def weight_bytes(weight: Tensor, dtype: torch.dtype) -> int:
    """What a parameter takes: numbers and scales where it is quantised, else as `dtype`."""
    if not hasattr(weight, "__tensor_flatten__"):
        return weight.numel() * dtype.itemsize
    names, _ = weight.__tensor_flatten__()
    return sum(int(getattr(weight, name).nbytes) for name in names)


def multiplies_fp8(device: torch.device) -> bool:
    """Whether `device` is a GPU of capability 8.9 or above."""
    return device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 9)


def _torchao(*, is_dynamic: bool) -> tuple[Any, Any]:
    """`quantize_` and its configuration, which leaves torch's own settings alone."""
    try:
        from torchao.quantization import (
            Float8DynamicActivationFloat8WeightConfig,
            Float8WeightOnlyConfig,
            PerRow,
            quantize_,
        )
    except ImportError as error:
        raise Fp8NotPossible(
            message="FP8 weights need torchao, which is not installed.",
            advice="Install requirements.lock, or serve with ENGINE_WEIGHTS=as_saved.",
        ) from error
    if not is_dynamic:
        return quantize_, Float8WeightOnlyConfig(set_inductor_config=False)
    config = Float8DynamicActivationFloat8WeightConfig(
        granularity=PerRow(), activation_value_lb=LEAST, set_inductor_config=False
    )
    return quantize_, config


def _clear_rows_of_zeros(weight: Any) -> None:
    """torchao divides such a row by its scale, which is 0, and gets NaN."""
    if weight.device.type != "meta":
        weight.qdata.view(torch.uint8)[(weight.scale == 0).flatten()] = 0
