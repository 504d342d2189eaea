"""The prompt classifier's fitted numbers as data, and their version; readable without torch.

``heads.safetensors`` holds ``weight`` (float32[categories, 384]) and ``bias``
(float32[categories]); the names of the categories are in its metadata. ``fit`` writes it.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

PATH = Path(__file__).with_suffix(".safetensors")
NAME = "minilm-heads"


@dataclass(frozen=True, slots=True)
class Heads:
    """One linear head a category over a unit sentence vector."""

    labels: tuple[str, ...]
    weight: NDArray[np.float32]
    bias: NDArray[np.float32]


@cache
def load() -> Heads:
    """The heads that ship, read once in a process."""
    with safe_open(PATH, framework="numpy") as file:
        labels = tuple(file.metadata()["labels"].split(","))
        return Heads(labels, file.get_tensor("weight"), file.get_tensor("bias"))


@cache
def version() -> str:
    """Changes whenever a number does, so that cached scores of another fit are not reused."""
    return f"1-{hashlib.sha256(PATH.read_bytes()).hexdigest()[:8]}"
