"""Parts of names that only other kinds of adapter have, and what is said of each. Pure.

Sources: LyCORIS, PEFT, OneTrainer (bundled embeddings), WanVideoWrapper (`diff_m`), MLX.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

EXTRACT = "Train it as a plain LoRA, or extract a LoRA of the difference with its tool."


@dataclass(frozen=True, slots=True)
class Kind:
    """`is_beside` for what stands beside a LoRA, which would be served without it; `is_sized` where
    the tensors tell the layer's sizes."""

    name: str
    pattern: re.Pattern[str]
    advice: str = EXTRACT
    is_beside: bool = False
    is_sized: bool = False


def _kind(name: str, pattern: str, advice: str = EXTRACT, **said: bool) -> Kind:
    return Kind(name, re.compile(pattern), advice, **said)


KINDS = (
    _kind(
        "an embedding that is bundled with the LoRA",
        r"^bundle_emb\.|^(emb_params|string_to_param\.\*)$",
        "Save the LoRA without its embeddings: its trainer can leave them out of the file.",
        is_beside=True,
    ),
    _kind(
        "a layer that was trained in full (modules_to_save)",
        r"\.modules_to_save\.([^.]+\.)?(weight|bias)$",
        "Train it without modules_to_save, or extract a LoRA of the difference with its tool.",
        is_beside=True,
    ),
    _kind("DoRA", r"\.(dora_scale|lora_magnitude_vector(\.[^.]+)?(\.weight)?|magnitude)$"),
    _kind("LoHa", r"\.hada_(w[12]_[ab]|t[12])$", is_sized=True),
    _kind("LoKr", r"\.lokr_(w[12](_[ab])?|t2)$", is_sized=True),
    _kind("OFT", r"\.b?oft_[a-zA-Z_]+(\.default)?(\.weight)?$"),
    _kind("IA3", r"\.(ia3_l(\.default)?(\.weight)?|on_input)$"),
    _kind("LoCon with a middle matrix", r"\.(lora_mid\.weight)$"),
    _kind(
        "normalisation weights",
        r"\.(w_norm|b_norm)$|\.norm\.(query|key)_norm\.scale$|\.norm_(added_)?[qk]\.weight$",
        "Train it without the normalisation layers.",
        is_beside=True,
    ),
    _kind(
        "a modulation's full difference (diff_m)",
        r"\.diff_m$",
        "Save it without differences, or extract a LoRA of them with its tool.",
        is_beside=True,
    ),
    _kind("bias difference", r"\.diff_b$"),
    _kind("full difference", r"\.diff$"),
    _kind("LoRA with biases", r"\.lora_(B|up)(\.[^.]+)?\.bias$"),
    _kind("LoRA with biases between its matrices", r"\.lora_(A|down)(\.[^.]+)?\.bias$"),
    _kind("GLoRA", r"\.glora_[a-z0-9_.]+$|\.[ab][12]\.weight$"),
)
BY_NAME = {kind.name: kind for kind in KINDS}
Shape = tuple[int, ...]


def size_of(shapes: dict[str, Shape]) -> tuple[int, int] | None:
    """What a LoHa or LoKr takes and gives, by its parts' names ("lokr_w1", "hada_w1_a", ...)."""
    product = _factor(shapes, "hada_w1")
    if product is not None and "hada_t1" not in shapes:
        return product[1], product[0]
    first, second = _factor(shapes, "lokr_w1"), _factor(shapes, "lokr_w2")
    if first is None or second is None or "lokr_t2" in shapes:
        return None
    return first[1] * second[1], first[0] * second[0]


def _factor(shapes: dict[str, Shape], name: str) -> tuple[int, int] | None:
    """The rows and columns of a factor, whole or as a product."""
    rows = shapes.get(name) or shapes.get(f"{name}_a", ())
    columns = shapes.get(name) or shapes.get(f"{name}_b", ())
    return (rows[0], columns[1]) if len(rows) > 1 and len(columns) > 1 else None
