"""Names of the models' original code, against diffusers' own converters of whole checkpoints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers.loaders import single_file_utils
from torch import Tensor

from adapters.base_models.architecture import layers_of_folder
from adapters.formats.target_modules import Layout

CONVERTERS = {
    "z-image": (
        "z-image",
        single_file_utils.convert_z_image_transformer_checkpoint_to_diffusers,
    ),
    "sd3": ("sd35-medium", single_file_utils.convert_sd3_transformer_checkpoint_to_diffusers),
}


class Checkpoint(dict[str, Tensor]):
    """What is asked for beside the weights, such as norms and biases, are zeros."""

    def __missing__(self, key: str) -> Tensor:
        return torch.zeros(12, 32)

    def pop(self, key: str, *default: Any) -> Tensor:
        return super().pop(key, torch.zeros(12))


@pytest.mark.parametrize("model", CONVERTERS)
def test_original_names_mean_what_diffusers_converter_means(
    model: str, folders: Callable[[str], Path]
) -> None:
    family, convert = CONVERTERS[model]
    layers = layers_of_folder(folders(model))["transformer"]
    layout = Layout.of(family, {"transformer": layers})
    checkpoint, expected = Checkpoint(), dict[str, Tensor]()
    for (_, alias), target in layout._index.items():
        if target.spelling != "original" or "." not in alias or "double_blocks.0.attn" in alias:
            continue
        square = (target.kernel,) * 2 if target.kernel else ()
        weight = torch.randn(target.outputs, target.inputs, *square)
        checkpoint[f"{alias}.weight"] = weight
        rows = weight.roll(target.outputs // 2, 0) if target.is_shift_first else weight
        for layer, part in zip(
            target.layers, rows.split([each.outputs for each in target.layers]), strict=True
        ):
            expected[f"{layer.path}.weight"] = part
    converted = convert(checkpoint)
    assert len(expected) > 10
    for name, weight in expected.items():
        assert torch.equal(converted[name], weight), name
