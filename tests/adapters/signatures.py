"""Files of every architecture that is told apart, as headers: names and shapes, no numbers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator

from adapters.formats import target_modules, unserved_architectures
from adapters.formats.safetensors_header import Header, Tensor

Size = tuple[int, int]
Layers = dict[str, Size]
KOHYA = (".lora_down.weight", ".lora_up.weight")
PEFT = (".lora_A.weight", ".lora_B.weight")
NAMED = (".lora_A.default_0.weight", ".lora_B.default_0.weight")
ATTENTION = re.compile(r"attn|attention|to_[qkv]|\.[qkv]$")
# Before a layer's name, what its matrices end in, whether its dots are underscores: diffusers and
# SimpleTuner, PEFT and fal, OneTrainer, LyCORIS; below them those of the original code's names:
# ai-toolkit and ComfyUI, ComfyUI's whole models, kohya and musubi-tuner, PEFT and AI-Toolkit, bare.
DIFFUSERS = {
    "diffusers": ("transformer.", PEFT, False),
    "peft": ("base_model.model.", NAMED, False),
    "onetrainer": ("lora_transformer_", KOHYA, True),
    "lycoris": ("lycoris_", KOHYA, True),
    "diffusers_in_comfyui": ("diffusion_model.", PEFT, False),
}
ORIGINAL = {
    "ai_toolkit": ("diffusion_model.", PEFT, False),
    "comfyui": ("model.diffusion_model.", KOHYA, False),
    "kohya": ("lora_unet_", KOHYA, True),
    "peft_of_the_original": ("base_model.model.", PEFT, False),
    "bare": ("", PEFT, False),
}
Pick = Callable[[str], bool]
EXTENTS: dict[str, Pick] = {
    "whole": lambda name: True,
    "attention": lambda name: bool(ATTENTION.search(name)),
    "few_blocks": lambda name: bool(re.search(r"\.[01]\.", name)),
}


def architectures() -> list[str]:
    return list(json.loads(unserved_architectures.FILE.read_text()))


def layers_of(architecture: str, section: str) -> Layers:
    """Every layer of the architecture, each with one of its sizes."""
    said = json.loads(unserved_architectures.FILE.read_text())[architecture][section]
    layers = {}
    for line, sizes in said.items():
        for name in _expanded(line):
            layers[name] = (sizes[0], sizes[1])
    return layers


def _expanded(line: str) -> Iterator[str]:
    """ "a.0:2,5.b" as "a.0.b", "a.1.b", "a.2.b", "a.5.b"."""
    place = re.search(r"(?:^|[._])([\d:,]+)(?=[._]|$)", line)
    if place is None:
        yield line
        return
    for run in place[1].split(","):
        first, _, last = run.partition(":")
        for number in range(int(first), int(last or first) + 1):
            yield f"{line[: place.start(1)]}{number}{line[place.end(1) :]}"


def header(
    layers: Layers,
    spelling: tuple[str, tuple[str, str], bool],
    *,
    rank: int = 4,
    metadata: dict[str, str] | None = None,
) -> Header:
    prefix, ends, is_flat = spelling
    tensors = []
    for name, (inputs, outputs) in layers.items():
        stem = prefix + (name.replace(".", "_") if is_flat else name)
        tensors += [
            Tensor(stem + ends[0], "F16", (rank, inputs), 0, 0),
            Tensor(stem + ends[1], "F16", (outputs, rank), 0, 0),
        ]
    return Header(tuple(tensors), metadata or {}, 0)


def layers_of_family(family: str) -> Layers:
    """The UNet's or transformer's linear layers that are served."""
    return {
        layer.path: (layer.inputs, layer.outputs)
        for layer in target_modules.of_family(family).layers
        if layer.component in target_modules.MAIN and layer.is_served
    }
