"""Prompts to rows of conditioning, each encoded once while it is remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from math import inf
from unicodedata import category

import torch

from generation.engine.adapters.lora_weights import Wearing
from generation.engine.families.family import Rows
from generation.engine.loading.loaded_model import LoadedModel

# Shares of a token's vector. Up to the first, nothing that the network reads has changed; up to the
# second, other punctuation or another article changes a picture by less than one level of 255
# (`python -m tests.bench.bench_similarity`, ADR 55).
NO_CHANGE, UNSEEN_CHANGE = 1e-4, 0.05
ARTICLES = frozenset({"a", "an", "the"})

TextKey = tuple[tuple[str, float], ...]  # adapters that change how a text is read


class Prompts:
    """Belongs to the engine's thread: tokenizers cannot be shared between threads."""

    def __init__(self, model: LoadedModel) -> None:
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
        return self._encode([text], key=key, wearing=wearing)[0]

    def prepare(self, texts: Iterable[str]) -> None:
        """Encode together those that no adapter reads and that are not remembered."""
        missing = [text for text in dict.fromkeys(texts) if (text, ()) not in self._rows]
        if len(missing) > 1:
            # Where one of them cannot be read, each is encoded alone, and that one fails alone.
            with suppress(Exception):
                self._encode(missing, key=(), wearing=())

    def _encode(self, texts: list[str], *, key: TextKey, wearing: Wearing) -> list[Rows]:
        self.misses += len(texts)
        self._dress(wearing if key else ())
        together = self._model.family.encode(self._model.pipe, texts)
        device = self._model.device
        rows = [
            {name: t[index : index + 1].clone().to(device) for name, t in together.items()}
            for index in range(len(texts))
        ]
        self._rows.update({(text, key): row for text, row in zip(texts, rows, strict=True)})
        while len(self._rows) > self._model.settings.prompts_kept:
            self._rows.popitem(last=False)
        return rows

    def looks_like(self, text: str, shown: str, *, key: TextKey, wearing: Wearing) -> bool:
        """Whether a picture of `text` would look like that of `shown` with all else equal: where
        both are the same tokens or vectors to the model, or the same words with nearly the same."""
        if self._read(text) == self._read(shown):
            return True
        rows = [self.encode(prompt, key=key, wearing=wearing) for prompt in (text, shown)]
        return is_unseen(change(*rows), text, shown)

    def _read(self, text: str) -> list[list[int]]:
        """Ids of the tokens that the text encoders read, of each tokenizer."""
        pipe = self._model.pipe
        tokenizers = [part for name, part in pipe.components.items() if "tokenizer" in name]
        return [list(tokenizer(text, truncation=True).input_ids) for tokenizer in tokenizers]

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
            self._model.loras[name].wear([wearing])


def is_unseen(moved: float, text: str, shown: str) -> bool:
    """Whether a change of `moved` from the prompt `shown` is not seen in the picture.

    Late in a long prompt even another noun moves the vectors of some models by next to nothing; so
    a changed word is unseen only where nothing moves.
    """
    return moved <= NO_CHANGE or (moved <= UNSEEN_CHANGE and _words(text) == _words(shown))


def _words(text: str) -> list[str]:
    """In small letters, without articles; whatever is neither blank nor punctuation is a word."""
    plain = "".join(" " if category(letter).startswith("P") else letter for letter in text)
    return [word for word in plain.casefold().split() if word not in ARTICLES]


def change(rows: Rows, since: Rows) -> float:
    """The largest change of any token's vector since another prompt, as a share of that vector's
    length; a pooled vector counts as a token. 0 for equal prompts, NaN where a vector is.

    The largest, not the mean: one changed word must count as much in a long prompt as in a short
    one.
    """
    if any(rows[name].shape != since[name].shape for name in since):
        return inf
    moved = [
        (rows[name].float() - before.float()).norm(dim=-1).flatten()
        / before.float().norm(dim=-1).flatten().clamp_min(1e-6)
        for name, before in since.items()
    ]
    return float(torch.cat(moved).max())
