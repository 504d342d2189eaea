"""Reads a LoRA file into layers of LoraWeights, in whatever naming diffusers understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers.utils import (
    convert_state_dict_to_diffusers,
    convert_state_dict_to_peft,
    convert_unet_state_dict_to_peft,
)
from peft import LoraConfig
from safetensors import SafetensorError
from torch import Tensor

from generation.engine.adapters.lora_weights import LoraWeights
from generation.engine.jobs import AdapterNotLoadable, RankTooHigh

Layers = dict[str, tuple[Tensor, Tensor]]
# diffusers renames these only in files that also change the attention's output.
KOHYA_TEXT = re.compile(r"\.to_(q|k|v|out)_lora\.")
DOWN, UP = ".lora_A.weight", ".lora_B.weight"


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """Tensors in diffusers' names, kohya's alphas, and diffusers' LoRA metadata, if any."""

    tensors: Mapping[str, Tensor]
    alphas: Mapping[str, float]
    metadata: Mapping[str, Any]

    def down_of(self, alpha_key: str) -> Tensor | None:
        """The `lora_down` that an alpha belongs to; diffusers names it in two ways."""
        owner = alpha_key.removesuffix(".alpha")
        return self.tensors.get(owner, self.tensors.get(f"{owner}.lora.down.weight"))


def read(pipe: Any, path: Path, options: Mapping[str, Any]) -> AdapterFile:
    """Raises AdapterNotLoadable."""
    try:
        tensors, alphas, metadata = type(pipe).lora_state_dict(
            str(path.parent),
            weight_name=path.name,
            local_files_only=True,
            use_safetensors=True,
            return_lora_metadata=True,
            **options,
        )
    except (SafetensorError, ValueError, RuntimeError, KeyError, OSError) as error:
        raise AdapterNotLoadable from error
    return AdapterFile(tensors, alphas or {}, metadata or {})


def layers_of(component: str, lora: LoraWeights, file: AdapterFile) -> Layers:
    """`lora_A` and scaled `lora_B` of the layers of one component ("unet", "text_encoder", …).

    Raises AdapterNotLoadable for a layer that `lora` does not hold, RankTooHigh above its rank.
    """
    tensors = _in_peft_names(component, file.tensors)
    downs = {n.removesuffix(DOWN): t.flatten(1) for n, t in tensors.items() if n.endswith(DOWN)}
    ups = {n.removesuffix(UP): t.flatten(1) for n, t in tensors.items() if n.endswith(UP)}
    for name in (key.removesuffix(DOWN).removesuffix(UP) for key in tensors):
        if name not in lora.places or name not in downs or name not in ups:
            raise AdapterNotLoadable(message=f"The model takes no adapter at {name[:120]}.")
        _check_shapes(name, lora, downs[name], ups[name])
    originals = {n: tensors[n + DOWN] for n in downs}
    scales = _scales(component, originals, file)
    return {name: (downs[name].float(), ups[name].float() * scales[name]) for name in downs}


def _check_shapes(name: str, lora: LoraWeights, down: Tensor, up: Tensor) -> None:
    rank, place = len(down), lora.places[name]
    if rank > lora.rank:
        raise RankTooHigh(message=f"The adapter has rank {rank}; the model allows {lora.rank}.")
    if down.shape[1:] != (place.in_features,) or up.shape != (place.out_features, rank):
        raise AdapterNotLoadable(message=f"The adapter's {name[:120]} has another shape.")


def _in_peft_names(component: str, state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f"{component}."
    own = {key.removeprefix(prefix): t for key, t in state.items() if key.startswith(prefix)}
    if not own or any(key.endswith(DOWN) for key in own):
        return own
    if component.startswith("text_encoder"):
        named = {KOHYA_TEXT.sub(r".\1_proj.lora_linear_layer.", k): t for k, t in own.items()}
        own = convert_state_dict_to_peft(convert_state_dict_to_diffusers(named))
        return {key.removeprefix("text_model."): tensor for key, tensor in own.items()}
    converted: dict[str, Tensor] = convert_unet_state_dict_to_peft(own)
    return converted


def _scales(component: str, downs: Mapping[str, Tensor], file: AdapterFile) -> dict[str, float]:
    """`lora_alpha / r` by layer: from the metadata, else kohya's alphas, else 1."""
    prefix = f"{component}."
    config = {k.removeprefix(prefix): v for k, v in file.metadata.items() if k.startswith(prefix)}
    if config:
        lora = LoraConfig(**config)
        return {name: _config_scale(lora, name, len(down)) for name, down in downs.items()}
    # Renaming keeps the tensors, so an alpha follows its tensor to the new name.
    alphas = {id(file.down_of(key)): alpha for key, alpha in file.alphas.items()}
    return {name: alphas.get(id(down), len(down)) / len(down) for name, down in downs.items()}


def _config_scale(config: Any, name: str, rank: int) -> float:
    alpha = next(
        (
            value
            for pattern, value in (config.alpha_pattern or {}).items()
            if re.match(rf"(.*\.)?({pattern})$", name)
        ),
        config.lora_alpha,
    )
    return float(alpha) / (rank**0.5 if config.use_rslora else rank)
