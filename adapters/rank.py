"""The rank of a LoRA from the shapes in its header. Pure.

`lora_A` is rank x in (and `lora_B` out x rank), as PEFT writes them; kohya's `lora_down` likewise.
"""

from __future__ import annotations

from adapters.header import Header, HeaderInvalid
from provenance.errors import ProofsheetError

DOWN_SUFFIXES = (".lora_A.weight", ".lora_down.weight", ".lora.down.weight")


class NoLoraFound(ProofsheetError):
    default_code = "unknown_keys"
    default_status = 422
    default_message = "The file holds no LoRA weights that we know."
    default_advice = "Upload a LoRA in PEFT, diffusers or kohya naming."


class RankTooHigh(ProofsheetError):
    default_code = "rank_too_high"
    default_status = 422
    default_message = "The adapter's rank is above what the model was loaded for."
    default_advice = "Train or convert it with a lower rank."


def highest_rank(header: Header, *, ceiling: int) -> int:
    """Highest rank over all modules. Raises NoLoraFound, HeaderInvalid, RankTooHigh."""
    down = [tensor for tensor in header.tensors if tensor.name.endswith(DOWN_SUFFIXES)]
    if not down:
        raise NoLoraFound
    if any(len(tensor.shape) < 2 or tensor.shape[0] == 0 for tensor in down):
        raise HeaderInvalid(message="A LoRA module has no rank.")
    rank = max(tensor.shape[0] for tensor in down)
    if rank > ceiling:
        raise RankTooHigh(message=f"The adapter has rank {rank}; the model allows {ceiling}.")
    return rank
