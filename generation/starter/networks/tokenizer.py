"""A word-level CLIPTokenizer: byte-pair merges trained until every known word is one token.

Unknown words fall into known pieces; pieces that training never sees share one embedding
(`spare_ids`), so they neither crash nor shout.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer, models, pre_tokenizers, trainers
from transformers import CLIPTokenizer

LENGTH = 24
START, END = "<|startoftext|>", "<|endoftext|>"
_END_OF_WORD = "</w>"


def _merges(words: list[str]) -> list[tuple[str, str]]:
    """Byte-pair merges that make each of `words` one token."""
    trainer = trainers.BpeTrainer(
        vocab_size=1_000_000, min_frequency=0, end_of_word_suffix=_END_OF_WORD, show_progress=False
    )
    tokenizer = Tokenizer(models.BPE(end_of_word_suffix=_END_OF_WORD))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    tokenizer.train_from_iterator(words, trainer)
    merges = json.loads(tokenizer.to_str())["model"]["merges"]
    return [(left, right) for left, right in merges]


def build(words: list[str], folder: Path) -> CLIPTokenizer:
    """Write vocab.json and merges.txt for `words` to `folder` and return the tokenizer."""
    symbols = sorted(pre_tokenizers.ByteLevel.alphabet())
    merges = _merges(words)
    tokens = [*symbols, *(symbol + _END_OF_WORD for symbol in symbols)]
    tokens += list(dict.fromkeys(left + right for left, right in merges))
    vocabulary = {token: index for index, token in enumerate([*tokens, START, END])}
    folder.mkdir(parents=True, exist_ok=True)
    vocab, text = folder / "vocab.json", folder / "merges.txt"
    vocab.write_text(json.dumps(vocabulary, ensure_ascii=False), "utf-8")
    lines = ["#version: 0.2", *(f"{left} {right}" for left, right in merges)]
    text.write_text("\n".join(lines) + "\n", "utf-8")
    tokenizer = CLIPTokenizer(
        vocab=str(vocab), merges=str(text), model_max_length=LENGTH, pad_token=END
    )
    tokenizer.save_pretrained(folder)
    return tokenizer


def encode(tokenizer: CLIPTokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids [len(texts)][24], cut and padded as StableDiffusionPipeline does."""
    batch = tokenizer(texts, padding="max_length", max_length=LENGTH, truncation=True)
    return [list(row) for row in batch["input_ids"]]


def spare_ids(tokenizer: CLIPTokenizer, words: list[str]) -> list[int]:
    """Ids that no caption made of `words` (or ':' ',' '-') can contain."""
    used = {index for row in encode(tokenizer, [*words, ": , -"]) for index in row}
    return sorted(set(tokenizer.get_vocab().values()) - used)
