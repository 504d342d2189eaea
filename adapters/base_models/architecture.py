"""The layers of a model that an adapter may change, from its configuration alone.

Loads torch, diffusers and transformers, so it is imported by commands and workers only, and inside
their functions. Modules are built on the meta device: no weights are read and none are allocated.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import diffusers
import torch
import transformers
from torch import nn

Layers = dict[str, list[int]]
COMPONENTS = ("unet", "transformer", "text_encoder", "text_encoder_2")
CONFIGS = {
    "CLIPTextModel": transformers.CLIPTextConfig,
    "CLIPTextModelWithProjection": transformers.CLIPTextConfig,
    "T5EncoderModel": transformers.T5Config,
}


def layers_of_folder(folder: Path) -> dict[str, Layers]:
    """Every component's layers, by the configurations of a pipeline folder.

    Text encoders other than CLIP and T5 are left out: no adapter format names their layers.
    Raises OSError, ValueError or KeyError where the folder is not a pipeline's.
    """
    index = json.loads((folder / "model_index.json").read_text())
    found = {}
    for component in COMPONENTS:
        class_name = (index.get(component) or [None, None])[1]
        if component.startswith("text_encoder") and class_name not in CONFIGS:
            continue
        if class_name:
            config = json.loads((folder / component / "config.json").read_text())
            found[component] = layers_of(class_name, config)
    return found


def layers_of(class_name: str, config: dict[str, Any]) -> Layers:
    """{"module.path": [in, out] for a linear layer, [in, out, kernel] for a convolution}."""
    with torch.device("meta"):
        if class_name in CONFIGS:
            module = getattr(transformers, class_name)(CONFIGS[class_name](**config))
        else:
            module = getattr(diffusers, class_name).from_config(config)
    layers: Layers = {}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Linear):
            layers[name] = [layer.in_features, layer.out_features]
        elif isinstance(layer, nn.Conv2d):
            layers[name] = [layer.in_channels, layer.out_channels, layer.kernel_size[0]]
    return layers
