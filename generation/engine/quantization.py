"""FP8 weights for a network's linears, through torchao's weight-only quantisation.

A weight becomes numbers of 8 bits (E4M3, arXiv 2209.05433) with one float32 scale for each output
channel. In a forward a layer turns it back into the network's own dtype, so activations, biases and
the adapters beside it stay in that dtype.

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

AS_SAVED, FP8 = "as_saved", "fp8"
WEIGHTS = (AS_SAVED, FP8)
LAYERS = (
    r"\.(to_[qkv]|to_out\.0|add_[qkv]_proj|to_add_out)$"
    r"|\.(ff|ff_context)\.net\.(0\.proj|2)$"
    r"|\.(proj_in|proj_out|proj_mlp)$"
)
SIDE_MULTIPLE = 16


def quantise(network: nn.Module, device: torch.device) -> None:
    """Quantise in place and move to `device`, layer by layer: all of it need not fit there before.

    Raises Fp8NotPossible.
    """
    layers = layers_to_quantise(network)
    if not layers:
        raise Fp8NotPossible(
            message=f"{type(network).__name__} has no linear layer that FP8 weights are made for.",
            advice="Serve it with ENGINE_WEIGHTS=as_saved.",
        )
    quantize_, config = _torchao()
    quantize_(network, config, filter_fn=lambda _, name: name in layers, device=device)
    for layer in layers.values():
        _clear_rows_of_zeros(layer.weight)


def layers_to_quantise(network: nn.Module) -> dict[str, nn.Linear]:
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, nn.Linear)
        and re.search(LAYERS, name)
        and not (layer.in_features % SIDE_MULTIPLE or layer.out_features % SIDE_MULTIPLE)
    }


def is_quantised(network: nn.Module) -> bool:
    return any(hasattr(weight, "__tensor_flatten__") for weight in network.parameters())


def weight_bytes(weight: Tensor, dtype: torch.dtype) -> int:
    """What a parameter takes: numbers and scales where it is quantised, else as `dtype`."""
    if not hasattr(weight, "__tensor_flatten__"):
        return weight.numel() * dtype.itemsize
    names, _ = weight.__tensor_flatten__()
    return sum(int(getattr(weight, name).nbytes) for name in names)


def _torchao() -> tuple[Any, Any]:
    """`quantize_` and its configuration, which leaves torch's own settings alone."""
    try:
        from torchao.quantization import Float8WeightOnlyConfig, quantize_
    except ImportError as error:
        raise Fp8NotPossible(
            message="FP8 weights need torchao, which is not installed.",
            advice="Install requirements.lock, or serve with ENGINE_WEIGHTS=as_saved.",
        ) from error
    return quantize_, Float8WeightOnlyConfig(set_inductor_config=False)


def _clear_rows_of_zeros(weight: Any) -> None:
    """torchao divides such a row by its scale, which is 0, and gets NaN."""
    if weight.device.type != "meta":
        weight.qdata.view(torch.uint8)[(weight.scale == 0).flatten()] = 0
