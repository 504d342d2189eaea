"""Prompts to rows of conditioning, each encoded once while it is remembered."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from contextlib import suppress
from math import inf
from unicodedata import category

import torch

from generation.engine.adapters.lora_weights import Wearing
from generation.engine.families import padded_text
from generation.engine.families.family import TEXT, Rows
from generation.engine.families.prompt_chunks import Chunk
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
        self._reader = model.reader
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
        read = [self.read(text) for text in texts]
        chunks = dict.fromkeys(chunk for chunks in read for chunk in chunks)
        pieces = self._encode_pieces(list(chunks), wearing=wearing if key else ())
        rows = [_joined([pieces[chunk] for chunk in chunks]) for chunks in read]
        self._rows.update({(text, key): row for text, row in zip(texts, rows, strict=True)})
        while len(self._rows) > self._model.settings.prompts_kept:
            self._rows.popitem(last=False)
        return rows

    def _encode_pieces(self, chunks: list[Chunk], *, wearing: Wearing) -> dict[Chunk, Rows]:
        """All by one call, with the empty prompt where one has weights, which count from it."""
        nothing = [""] if any(chunk.weights for chunk in chunks) else []
        texts = list(dict.fromkeys([*(chunk.text for chunk in chunks), *nothing]))
        for name in self._model.family.text_encoders:
            self._model.loras[name].wear([wearing] * len(texts))
        together = self._model.family.encode(self._model.pipe, texts)
        device = self._model.device
        rows = {
            text: padded_text.fitted({name: t[i : i + 1].clone() for name, t in together.items()})
            for i, text in enumerate(texts)
        }
        rows = {text: {n: t.to(device) for n, t in row.items()} for text, row in rows.items()}
        return {
            c: _weighted(rows[c.text], rows[""], c) if c.weights else rows[c.text] for c in chunks
        }

    def read(self, text: str) -> tuple[Chunk, ...]:
        """What the text encoder reads of a prompt, piece by piece."""
        return self._reader.read(text).chunks

    def looks_like(self, text: str, shown: str, *, key: TextKey, wearing: Wearing) -> bool:
        """Whether a picture of `text` would look like that of `shown` with all else equal: where
        both are the same tokens or vectors to the model, or the same words with nearly the same."""
        if self._read(text) == self._read(shown):
            return True
        rows = [self.encode(prompt, key=key, wearing=wearing) for prompt in (text, shown)]
        return is_unseen(change(*rows), text, shown)

    def _read(self, text: str) -> list[Hashable]:
        """Ids of the tokens that the text encoders read, of each tokenizer, and their weights."""
        pipe = self._model.pipe
        tokenizers = [part for name, part in pipe.components.items() if "tokenizer" in name]
        return [
            (chunk.weights, *(tuple(t(chunk.text, truncation=True).input_ids) for t in tokenizers))
            for chunk in self.read(text)
        ]

    def negative(self, text: str, positive: Rows, *, key: TextKey, wearing: Wearing) -> Rows:
        """The row that guidance leads away from."""
        if not text and self._model.family.has_zero_negative(self._model.pipe):
            return {name: torch.zeros_like(tensor) for name, tensor in positive.items()}
        return self.encode(text, key=key, wearing=wearing)

    def dropped_tokens(self, text: str) -> int:
        """How many tokens of `text` the text encoder cannot read."""
        return self._reader.read(text).dropped_tokens


def _joined(pieces: list[Rows]) -> Rows:
    """One prompt's vectors, piece after piece; what there is one of for a prompt is the first's."""
    if len(pieces) == 1:
        return pieces[0]
    return pieces[0] | {TEXT: torch.cat([piece[TEXT] for piece in pieces], dim=1)}


def _weighted(row: Rows, nothing: Rows, chunk: Chunk) -> Rows:
    """Each token's vector as far from the empty prompt's as its weight says; at weight 1 itself.

    As ComfyUI weighs (`sd1_clip.encode_token_weights`): at 0 the token says nothing.
    """
    said, empty = row[TEXT], nothing[TEXT]
    weights = torch.ones(said.shape[1], device=said.device, dtype=said.dtype)
    weights[: len(chunk.weights)] = torch.tensor(chunk.weights)
    weights = weights.view(1, -1, 1)
    return row | {TEXT: torch.where(weights == 1, said, empty + weights * (said - empty))}


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
