"""Takes a tensor's name apart: which layer it belongs to, and which part of a LoRA it is. Pure.

Sources: the naming of kohya's sd-scripts, of diffusers before and after PEFT, of PEFT itself and of
MLX; other kinds than LoRA are recognised to be refused by name (`kinds`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from adapters.formats.unserved_kinds import KINDS

Role = Literal["down", "up", "alpha", "other"]
# The end of a name, what it is, and who writes it. Longer ends come before those they contain.
ENDS: tuple[tuple[str, Role, str], ...] = (
    (".lora_A.weight", "down", "peft"),
    (".lora_B.weight", "up", "peft"),
    (".lora_down.weight", "down", "kohya"),
    (".lora_up.weight", "up", "kohya"),
    (".lora_linear_layer.down.weight", "down", "diffusers-old"),
    (".lora_linear_layer.up.weight", "up", "diffusers-old"),
    (".lora.down.weight", "down", "diffusers-old"),
    (".lora.up.weight", "up", "diffusers-old"),
    ("_lora.down.weight", "down", "diffusers-old"),
    ("_lora.up.weight", "up", "diffusers-old"),
    (".lora_down", "down", "kohya"),
    (".lora_up", "up", "kohya"),
    (".lora_A", "down", "bare"),
    (".lora_B", "up", "bare"),
    (".lora_a", "down", "bare"),
    (".lora_b", "up", "bare"),
    (".alpha", "alpha", ""),
)
# PEFT puts the adapter's own name between the matrix and its weight.
NAMED = re.compile(r"\.lora_([AB])\.([^.]+)\.weight$")
# XLabs numbers the image's and the text's half of a block in the name of the LoRA itself.
XLABS = re.compile(r"_lora[12](\.(down|up)\.weight)$")
PREFIXES = (
    ("lora_unet_", "main", "kohya"),
    ("lora_transformer_", "main", "kohya"),
    ("lora_te1_", "text_encoder", "kohya"),
    ("lora_te2_", "text_encoder_2", "kohya"),
    ("lora_te3_", "text_encoder_2", "kohya"),  # Flux's T5, which is third in kohya's count
    ("lora_te_", "text_encoder", "kohya"),
    ("base_model.model.unet.", "main", "peft"),
    ("base_model.model.transformer.", "main", "peft"),
    ("base_model.model.text_encoder_2.", "text_encoder_2", "peft"),
    ("base_model.model.text_encoder.", "text_encoder", "peft"),
    ("base_model.model.", "", "peft"),
    ("model.diffusion_model.", "main", "original"),
    ("diffusion_model.", "main", "original"),
    ("unet.", "main", "diffusers"),
    ("transformer.", "main", "diffusers"),
    ("text_encoder_2.", "text_encoder_2", "diffusers"),
    ("text_encoder.", "text_encoder", "diffusers"),
)


@dataclass(frozen=True, slots=True)
class NamePart:
    """`stem` is the name up to the part's own end: all parts of one layer share it. `adapter` is
    PEFT's name of the adapter, where the key holds one."""

    stem: str
    role: Role
    writer: str
    kind: str = "LoRA"
    adapter: str = ""


@dataclass(frozen=True, slots=True)
class Stem:
    """Which component a stem names ("main", a text encoder, or "" for any), and its layer there."""

    component: str
    name: str
    writer: str


def part_of(key: str) -> NamePart | None:
    """None for a name that no adapter gives: a whole model's weights, for example."""
    for kind in KINDS:
        if found := kind.pattern.search(key):
            return NamePart(key[: found.start()] or key, "other", "", kind.name)
    if found := NAMED.search(key):
        role: Role = "down" if found[1] == "A" else "up"
        return NamePart(key[: found.start()], role, "peft", adapter=found[2])
    if found := XLABS.search(key):
        return NamePart(key[: found.start(1)], "down" if found[2] == "down" else "up", "xlabs")
    for end, role, writer in ENDS:
        if key.endswith(end):
            return NamePart(key.removesuffix(end), role, writer)
    return None


def read_stem(stem: str) -> Stem:
    """Component, layer and writer of a tensor's name without its ending; "" where unknown."""
    for prefix, component, writer in PREFIXES:
        if stem.startswith(prefix):
            name = stem.removeprefix(prefix)
            # Some of kohya's versions ended names of single layers in an underscore.
            name = name.rstrip("_") if writer == "kohya" else name
            return Stem(component, _modern(name), writer)
    return Stem("", _modern(stem), "")


def _modern(name: str) -> str:
    """diffusers' attention processors held the LoRA in their own layers: name the attention's."""
    modern = name.replace(".processor.", ".")
    if modern.endswith(".to_out"):
        modern += ".0"
    for letter in "qkv":
        if modern.endswith(f".self_attn.to_{letter}"):
            return modern.removesuffix(f"to_{letter}") + f"{letter}_proj"
    return modern.replace(".self_attn.to_out.0", ".self_attn.out_proj")
