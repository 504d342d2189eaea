"""What the families that match a flow have in common: how their steps lie."""

from __future__ import annotations

from typing import Any


def shift(pipe: Any, tokens: int, *, highest: float = 1.15) -> float:
    """`mu`, which grows with the tokens of the latents; `highest` is the pipeline's own default."""
    config = pipe.scheduler.config
    least, most = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", highest)
    return float(low + (high - low) * (tokens - least) / (most - least))


def skipped(steps: int, strength: float) -> int:
    """How many steps are left out when a picture is departed from by `strength`."""
    return int(steps - min(steps * strength, steps))
