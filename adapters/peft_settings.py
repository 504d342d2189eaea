"""The LoraConfig that diffusers writes into a file's metadata, bounded and checked. Pure.

It is the one piece of metadata that has a meaning: a file of diffusers or PEFT keeps its alphas
there and nowhere else. Ranks are still read from the shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.layouts import Layer

KEY = "lora_adapter_metadata"
MAX_CHARACTERS = 1_000_000


@dataclass(frozen=True, slots=True)
class PeftSettings:
    """`said` is {"unet.lora_alpha": 8, "unet.alpha_pattern": {...}, ...}; empty when absent."""

    said: Mapping[str, Any]

    @classmethod
    def of(cls, metadata: Mapping[str, str]) -> PeftSettings:
        text = metadata.get(KEY, "")
        if not text or len(text) > MAX_CHARACTERS:
            return cls({})
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            return cls({})
        return cls(said if isinstance(said, dict) else {})

    def alpha_of(self, layer: Layer) -> float | None:
        """None when the settings do not speak of the layer's component."""
        pattern = self.said.get(f"{layer.component}.alpha_pattern")
        if isinstance(pattern, dict):
            for name, alpha in pattern.items():
                plain = name.removeprefix("^")
                if layer.path == plain or layer.path.endswith(f".{plain}"):
                    return _number(alpha)
        return _number(self.said.get(f"{layer.component}.lora_alpha"))

    def is_rslora(self, layer: Layer) -> bool:
        return self.said.get(f"{layer.component}.use_rslora") is True


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) < 1e9 else None
