"""Prompts to rows of conditioning, each encoded once while it is remembered."""

from __future__ import annotations

from collections import OrderedDict

import torch

from generation.engine.bank import Wearing
from generation.engine.families import Rows
from generation.engine.model import Model

TextKey = tuple[tuple[str, float], ...]  # adapters that change how a text is read


class Prompts:
    """Belongs to the engine's thread: tokenizers cannot be shared between threads."""

    def __init__(self, model: Model) -> None:
        self._model = model
        self._rows: OrderedDict[tuple[str, TextKey], Rows] = OrderedDict()
        self.hits = 0
        self.misses = 0

    def encode(self, text: str, *, key: TextKey, wearing: Wearing) -> Rows:
        """The row of `text`, its encoders wearing adapters if `key` names any."""
        found = self._rows.get((text, key))
        if found is not None:
            self.hits += 1
            self._rows.move_to_end((text, key))
            return found
        self.misses += 1
        self._dress(wearing if key else ())
        row = self._model.family.encode(self._model.pipe, text)
        self._rows[text, key] = row
        if len(self._rows) > self._model.settings.prompts_kept:
            self._rows.popitem(last=False)
        return row

    def negative(self, text: str, positive: Rows, *, key: TextKey, wearing: Wearing) -> Rows:
        """The row that guidance leads away from."""
        if not text and self._model.family.has_zero_negative(self._model.pipe):
            return {name: torch.zeros_like(tensor) for name, tensor in positive.items()}
        return self.encode(text, key=key, wearing=wearing)

    def dropped_tokens(self, text: str) -> int:
        """How many tokens of `text` the first text encoder cannot read."""
        tokenizer = self._model.pipe.tokenizer
        tokens = len(tokenizer(text, truncation=False, verbose=False).input_ids)
        return max(0, tokens - int(tokenizer.model_max_length))

    def _dress(self, wearing: Wearing) -> None:
        for name in self._model.family.text_encoders:
            self._model.banks[name].wear([wearing])
