"""The LoraConfig that diffusers writes into a file's metadata, bounded and checked. Pure.

It is the one piece of metadata that has a meaning: a file of diffusers or PEFT keeps its alphas
there and nowhere else. Ranks are still read from the shapes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.formats.target_modules import Layer

KEY = "lora_adapter_metadata"
MAX_CHARACTERS = 1_000_000
PATTERN = ".alpha_pattern"


@dataclass(frozen=True, slots=True)
class PeftSettings:
    """`said` is {"unet.lora_alpha": 8, "unet.alpha_pattern": {...}, ...}; empty when absent."""

    said: Mapping[str, Any]
    _patterns: dict[str, dict[str, tuple[int, Any]]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Each component's pattern by name, with the place at which it stands: the first counts."""
        patterns: dict[str, dict[str, tuple[int, Any]]] = {}
        for key, pattern in self.said.items():
            if key.endswith(PATTERN) and isinstance(pattern, dict):
                names = patterns.setdefault(key.removesuffix(PATTERN), {})
                for place, (name, alpha) in enumerate(pattern.items()):
                    names.setdefault(name.removeprefix("^"), (place, alpha))
        object.__setattr__(self, "_patterns", patterns)

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
        names = self._patterns.get(layer.component, {})
        steps = layer.path.split(".")
        ends = (".".join(steps[start:]) for start in range(len(steps)))
        if found := [names[end] for end in ends if end in names]:
            return _number(min(found, key=lambda placed: placed[0])[1])
        return _number(self.said.get(f"{layer.component}.lora_alpha"))

    def is_rslora(self, layer: Layer) -> bool:
        return self.said.get(f"{layer.component}.use_rslora") is True


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) and abs(value) < 1e9 else None
