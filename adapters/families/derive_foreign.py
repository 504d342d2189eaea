"""Write signatures of architectures not served: `python -m adapters.families.derive_foreign`.

Each is built on torch's meta device from diffusers' default configuration, that of the first public
model of its kind, or from the published configuration of another size. Written are the names and
sizes of the layers, in diffusers' names and in those of the original code, one line for all blocks
that have the layer: `"transformer_blocks.0:59.attn.to_q": [3072, 3072]` (docs/adr/0081).
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from typing import Any

import diffusers
import torch
from torch import nn

from adapters.families.foreign_sources import IMAGES, Origin
from adapters.families.foreign_videos import VIDEOS
from adapters.formats import key_formats
from adapters.formats import spelling_rules as rules
from adapters.formats.unserved_architectures import FILE

Size = tuple[int, int]
Sizes = dict[str, Size]
CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)


def main() -> None:
    """Write the signatures of architectures that are not served, from diffusers' own classes."""
    entries = []
    for key, source in (IMAGES | VIDEOS).items():
        native, original = [], []
        for config in source.configs.values():
            layers, others = _spelt(source, config)
            native.append(layers)
            original.append(others)
        entries.append(
            f' {json.dumps(key)}: {{\n  "title": {json.dumps(source.title)},\n'
            f'  "kin": {json.dumps(source.kin)},\n'
            f'  "layers": {_written(native)},\n  "original": {_written(original)}\n }}'
        )
    FILE.write_text("{\n" + ",\n".join(entries) + "\n}\n")


def _written(variants: list[Sizes]) -> str:
    """One layer a line, so that a change of dimensions is read in a diff."""
    lines = [f"   {json.dumps(name)}: {json.dumps(sizes)}" for name, sizes in _merged(variants)]
    return "{\n" + ",\n".join(lines) + "\n  }" if lines else "{}"


def _spelt(source: Origin, config: dict[str, Any]) -> tuple[Sizes, Sizes]:
    """Every layer under diffusers' name, and under each other name that it has."""
    with torch.device("meta"):
        sizes = _sizes(getattr(diffusers, source.class_name).from_config(config))
        for prefix, kind in source.beside.items():
            sizes |= {prefix + name: size for name, size in _sizes(kind()).items()}
    others: Sizes = {}
    if source.class_name == "UNet2DConditionModel":
        others |= {alias: sizes[name] for alias, name in key_formats.ldm(sizes).items()}
    taken = {name: size[0] for name, size in sizes.items()}
    for spelling in (rules.FUSED, *source.spellings):
        for name, paths in rules.names(taken, spelling).items():
            others[name] = taken[paths[0]], sum(sizes[path][1] for path in paths)
    return sizes, others


def _sizes(module: nn.Module) -> Sizes:
    sizes: Sizes = {}
    for name, layer in module.named_modules():
        if isinstance(layer, nn.Linear):
            sizes[name] = layer.in_features, layer.out_features
        elif isinstance(layer, CONVOLUTIONS):
            sizes[name] = layer.in_channels, layer.out_channels
    return sizes


def _merged(variants: list[Sizes]) -> list[tuple[str, list[int]]]:
    """Names of all variants with their sizes, in pairs of in and out; blocks that have a layer of
    the same sizes share a line."""
    sizes: dict[str, dict[Size, None]] = defaultdict(dict)
    for variant in variants:
        for name, size in variant.items():
            sizes[name][size] = None
    places: dict[tuple[str, tuple[Size, ...]], list[int]] = defaultdict(list)
    for name, found in sizes.items():
        block = re.search(r"(?:^|[._])(\d+)(?=[._]|$)", name)
        pattern = f"{name[: block.start(1)]}#{name[block.end(1) :]}" if block else name
        places[pattern, tuple(found)].append(int(block[1]) if block else -1)
    return [
        (pattern.replace("#", _ranges(sorted(numbers))), [side for size in pairs for side in size])
        for (pattern, pairs), numbers in places.items()
    ]


def _ranges(numbers: list[int]) -> str:
    """[0, 1, 2, 5] as "0:2,5"."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(a) if a == b else f"{a}:{b}" for a, b in runs)


if __name__ == "__main__":
    main()
