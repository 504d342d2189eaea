"""Reads a LoRA file into layers of LoraWeights, in whatever naming diffusers understands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from diffusers.utils import (
    convert_state_dict_to_diffusers,
    convert_state_dict_to_peft,
    convert_unet_state_dict_to_peft,
)
from peft import LoraConfig
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor

from generation.engine.adapters import channel_vectors
from generation.engine.adapters.channel_vectors import ChannelChange
from generation.engine.adapters.lora_weights import LoraWeights
from generation.engine.jobs import AdapterNotLoadable, RankTooHigh

Layers = dict[str, tuple[Tensor, Tensor]]
# diffusers renames these only in files that also change the attention's output.
KOHYA_TEXT = re.compile(r"\.to_(q|k|v|out)_lora\.")
DOWN, UP = ".lora_A.weight", ".lora_B.weight"
# Of a layer in a file that the house has written: what stands beside its matrices.
BIAS, OUTER, INNER = ".lora_bias", ".magnitude_out", ".magnitude_in"
CHANNELS = (BIAS, OUTER, INNER)


@dataclass(frozen=True, slots=True)
class AdapterFile:
    """Tensors in diffusers' names, kohya's alphas, and diffusers' LoRA metadata, if any; `channels`
    are one number for each input or output of a layer."""

    tensors: Mapping[str, Tensor]
    alphas: Mapping[str, float]
    metadata: Mapping[str, Any]
    channels: Mapping[str, Tensor] = field(default_factory=dict)

    @property
    def count(self) -> int:
        return len(self.tensors) + len(self.channels)

    def down_of(self, alpha_key: str) -> Tensor | None:
        """The `lora_down` that an alpha belongs to; diffusers names it in two ways."""
        owner = alpha_key.removesuffix(".alpha")
        return self.tensors.get(owner, self.tensors.get(f"{owner}.lora.down.weight"))


@dataclass(frozen=True, slots=True)
class Changes:
    """What a file changes of one component, and how many of its tensors say so."""

    pairs: Layers
    channels: dict[str, ChannelChange]
    tensors: int


def read(pipe: Any, path: Path, options: Mapping[str, Any]) -> AdapterFile:
    """Raises AdapterNotLoadable."""
    try:
        with safe_open(path, "pt") as file:
            has_channels = any(name.endswith(CHANNELS) for name in file.keys())  # noqa: SIM118 # no table
        if has_channels:
            return _as_written_here(load_file(path))
        tensors, *alphas, metadata = type(pipe).lora_state_dict(
            str(path.parent),
            weight_name=path.name,
            local_files_only=True,
            use_safetensors=True,
            return_lora_metadata=True,
            **options,
        )
    except (SafetensorError, ValueError, RuntimeError, KeyError, OSError) as error:
        raise AdapterNotLoadable from error
    return AdapterFile(tensors, (alphas and alphas[0]) or {}, metadata or {})


def _as_written_here(state: dict[str, Tensor]) -> AdapterFile:
    """diffusers would find the vectors strange, and there is nothing to rename."""
    channels = {name: state.pop(name) for name in list(state) if name.endswith(CHANNELS)}
    return AdapterFile(state, {}, {}, channels)


def changes_of(component: str, lora: LoraWeights, file: AdapterFile) -> Changes:
    """All that a file changes of one component ("unet", "text_encoder", …), DoRA's magnitudes as
    factors of the model's own weights.

    Raises AdapterNotLoadable for a layer that `lora` does not hold, RankTooHigh above its rank.
    """
    pairs, changes = layers_of(component, lora, file), dict[str, ChannelChange]()
    count = 2 * len(pairs)
    for key, vector in file.channels.items():
        if not key.startswith(f"{component}."):
            continue
        layer, end = key.removeprefix(f"{component}.").rsplit(".", 1)
        name = _as_placed(layer, lora)
        if name not in pairs:
            raise AdapterNotLoadable(message=f"The model takes no adapter at {name[:120]}.")
        _change(name, lora, pairs, changes, vector=vector.float(), end=f".{end}")
        count += 1
    return Changes(pairs, changes, count)


def _change(
    name: str,
    lora: LoraWeights,
    pairs: Layers,
    changes: dict[str, ChannelChange],
    *,
    vector: Tensor,
    end: str,
) -> None:
    place = lora.places[name]
    if vector.shape != (place.in_features if end == INNER else place.out_features,):
        raise AdapterNotLoadable(message=f"The adapter's {name[:120]} has another shape.")
    weight, bias = lora.weight_of(name)
    change = changes.get(name, channel_vectors.nothing(weight))
    if end == BIAS:
        changes[name] = change._replace(bias=change.bias + vector)
        return
    found = channel_vectors.dora(weight, bias, *pairs[name], vector, is_inner=end == INNER)
    pairs[name] = found.down, found.up
    changes[name] = found.change._replace(bias=found.change.bias + change.bias)


def layers_of(component: str, lora: LoraWeights, file: AdapterFile) -> Layers:
    """`lora_A` and scaled `lora_B` of the layers of one component ("unet", "text_encoder", …).

    Raises AdapterNotLoadable for a layer that `lora` does not hold, RankTooHigh above its rank.
    """
    named = _in_peft_names(component, file.tensors)
    tensors = {_as_placed(key, lora): tensor for key, tensor in named.items()}
    downs = {n.removesuffix(DOWN): t.flatten(1) for n, t in tensors.items() if n.endswith(DOWN)}
    ups = {n.removesuffix(UP): t.flatten(1) for n, t in tensors.items() if n.endswith(UP)}
    for name in (key.removesuffix(DOWN).removesuffix(UP) for key in tensors):
        if name not in lora.places or name not in downs or name not in ups:
            raise AdapterNotLoadable(message=f"The model takes no adapter at {name[:120]}.")
        _check_shapes(name, lora, downs[name], ups[name])
    originals = {n: tensors[n + DOWN] for n in downs}
    scales = _scales(component, originals, file)
    return {name: (downs[name].float(), ups[name].float() * scales[name]) for name in downs}


def _as_placed(key: str, lora: LoraWeights) -> str:
    """Files say `text_model`, which some versions of transformers have and others have not."""
    layer = key.removesuffix(DOWN).removesuffix(UP)
    return key if layer in lora.places else key.removeprefix("text_model.")


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
