"""What stands beside a layer's two matrices: DoRA's magnitudes and biases. Pure.

Magnitudes are lengths of rows of the adapted weight, as PEFT has them, or of its columns, as
LyCORIS may; their shape tells which. Source: DoRA, arXiv 2402.09353.
"""

from __future__ import annotations

from math import prod
from typing import Literal

from adapters.formats.detection import LoraParts
from adapters.formats.safetensors_header import Tensor
from adapters.formats.target_modules import Target

Channel = Literal["lora_bias", "magnitude_out", "magnitude_in"]
KINDS = ("DoRA", "LoRA with biases", "bias difference")


class NotTold(ValueError):
    """The vector is none of the layer; the text says why in a sentence."""


def vectors_of(parts: LoraParts, target: Target) -> dict[str, tuple[Channel, Tensor]]:
    """By kind, what a layer's vector is. Raises NotTold."""
    found: dict[str, tuple[Channel, Tensor]] = {}
    for kind, tensors in parts.others.items():
        if kind not in KINDS:
            continue
        if len(tensors) > 1:
            raise NotTold(f"has {len(tensors)} vectors of {kind}")
        [tensor] = tensors
        is_magnitude = kind == "DoRA"
        channel: Channel = _axis(tensor, target) if is_magnitude else "lora_bias"
        width = target.inputs if channel == "magnitude_in" else target.outputs
        if prod(tensor.shape) != width:
            raise NotTold(
                f"has a vector of {prod(tensor.shape)} numbers, where the model has {width}"
            )
        found[kind] = channel, tensor
    return found


def _axis(tensor: Tensor, target: Target) -> Channel:
    """Of magnitudes: [out] and [out, 1] are of rows, [1, in] of columns."""
    shape, inputs, outputs = tensor.shape, target.inputs, target.outputs
    while len(shape) > 2 and shape[-1] == 1:
        shape = shape[:-1]
    is_inner = shape == (1, inputs) or (shape == (inputs,) != (outputs,))
    is_outer = shape in ((outputs, 1), (outputs,), (1, outputs))
    if tensor.name.endswith("dora_scale"):
        if shape == (inputs,) == (outputs,) or shape == (1, 1):
            raise NotTold("has magnitudes of DoRA that fit its rows and its columns alike")
        is_outer = shape in ((outputs, 1), (outputs,))
    else:
        is_inner = False
    if is_inner and len(target.layers) > 1:
        raise NotTold(
            "has magnitudes of DoRA over the columns of several of the model's layers at once"
        )
    if not (is_inner or is_outer):
        raise NotTold(
            f"has magnitudes of DoRA in the shape {list(tensor.shape)}, while the model's layer "
            f"takes {inputs} and gives {outputs} numbers"
        )
    return "magnitude_in" if is_inner else "magnitude_out"
