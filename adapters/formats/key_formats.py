"""Other names that training tools give to a model's layers. Pure.

`ldm` names are those of the original Stable Diffusion code (`input_blocks.4.1...`), which kohya's
SDXL scripts keep; `xlabs` names are those of the attention processors of XLabs' Flux trainer
(`double_blocks.0.processor.qkv_lora1`), without `processor`. All others follow from
`spelling_rules`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

RESNET = {
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "conv_in": "input_blocks.0.0",
    "conv_out": "out.2",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
}
MIDDLE = {"resnets.0": "0", "attentions.0": "1", "resnets.1": "2"}
BLOCK = re.compile(
    r"(down|up)_blocks\.(\d+)\.(resnets|attentions|downsamplers|upsamplers)\.(\d+)\.(.+)"
)
MIDDLE_BLOCK = re.compile(r"mid_block\.(resnets\.0|attentions\.0|resnets\.1)\.(.+)")


def ldm(layers: Iterable[str]) -> dict[str, str]:
    """{LDM name: diffusers name} of a UNet's layers."""
    names = list(layers)
    depth = len({n.split(".")[3] for n in names if n.startswith("down_blocks.0.resnets.")}) + 1
    attended = {n.split(".")[1] for n in names if re.match(r"up_blocks\.\d+\.attentions", n)}
    return {alias: name for name in names if (alias := _ldm_name(name, depth, attended))}


def _ldm_name(name: str, depth: int, attended: set[str]) -> str | None:
    """`depth` counts a block's layers with its sampler; `attended` names up blocks that attend."""
    if name in OUTER:
        return OUTER[name]
    if found := MIDDLE_BLOCK.fullmatch(name):
        place, inner = found.groups()
        return f"middle_block.{MIDDLE[place]}.{_inner(place, inner)}"
    if not (found := BLOCK.fullmatch(name)):
        return None
    side, block, kind, index, inner = found.groups()
    first = int(block) * depth
    if kind == "downsamplers":
        return f"input_blocks.{first + depth}.0.op"
    if kind == "upsamplers":
        return f"output_blocks.{first + depth - 1}.{2 if block in attended else 1}.{inner}"
    place = f"input_blocks.{1 + first + int(index)}" if side == "down" else (
        f"output_blocks.{first + int(index)}"
    )  # fmt: skip
    return f"{place}.{int(kind == 'attentions')}.{_inner(kind, inner)}"


def _inner(kind: str, inner: str) -> str:
    return RESNET.get(inner, inner) if kind.startswith("resnets") else inner


_QKV = ("attn.to_q", "attn.to_k", "attn.to_v")
_XLABS_DOUBLE = {
    "qkv_lora1": _QKV,
    "qkv_lora2": ("attn.add_q_proj", "attn.add_k_proj", "attn.add_v_proj"),
    "proj_lora1": ("attn.to_out.0",),
    "proj_lora2": ("attn.to_add_out",),
}
_XLABS_SINGLE = {"qkv": _QKV, "proj": ("proj_out",)}
_Parts = Mapping[str, tuple[str, ...]]


def xlabs(layers: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """{XLabs name without `processor`: diffusers names, whose rows lie one below the other}."""
    return _by_block(set(layers), _XLABS_DOUBLE, _XLABS_SINGLE)


def _by_block(known: set[str], double: _Parts, single: _Parts) -> dict[str, tuple[str, ...]]:
    names = {}
    for kind, theirs, table in (
        ("double_blocks", "transformer_blocks", double),
        ("single_blocks", "single_transformer_blocks", single),
    ):
        for block in {n.split(".")[1] for n in known if n.startswith(f"{theirs}.")}:
            for alias, parts in table.items():
                names[f"{kind}.{block}.{alias}"] = tuple(f"{theirs}.{block}.{p}" for p in parts)
    return {alias: parts for alias, parts in names.items() if known.issuperset(parts)}
