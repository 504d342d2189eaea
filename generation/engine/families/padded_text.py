"""Texts of unequal length in one batch: padded to the next length in use, with a mask.

A row's bits depend on the length that it is padded to, so this is a multiple of STEP, and rows of
another one step by themselves: strangers change no picture.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import pad

from generation.engine.families.family import TEXT, Rows

STEP = 32
WORDS = "encoder_hidden_states_mask"  # of a row: [1, tokens], true where there is a token


def stacked(texts: list[Tensor]) -> Rows:
    """The rows of texts [tokens, width]."""
    longest = max(len(text) for text in texts)
    return {
        TEXT: torch.stack([pad(text, (0, 0, 0, longest - len(text))) for text in texts]),
        WORDS: torch.arange(longest) < torch.tensor([[len(text)] for text in texts]),
    }


def fitted(row: Rows) -> Rows:
    """As long as its own text makes it, whoever was read beside it."""
    return _as_long(row, _own_length(row)) if WORDS in row else row


def paired(positive: Rows, negative: Rows) -> tuple[Rows, Rows]:
    """Of one length: the shorter padded where there are masks, else each repeated, for attention
    over equal keys is the same (ComfyUI's `CONDCrossAttn`)."""
    lengths = [row[TEXT].shape[1] for row in (positive, negative)]
    if WORDS in positive:
        return _as_long(positive, max(lengths)), _as_long(negative, max(lengths))
    tokens = math.lcm(*lengths)
    return _repeated(positive, tokens), _repeated(negative, tokens)


def _own_length(row: Rows) -> int:
    return -(-int(row[WORDS].sum()) // STEP) * STEP


def _as_long(row: Rows, tokens: int) -> Rows:
    more = tokens - row[TEXT].shape[1]
    return row | {TEXT: pad(row[TEXT], (0, 0, 0, more)), WORDS: pad(row[WORDS], (0, more))}


def _repeated(row: Rows, tokens: int) -> Rows:
    times = tokens // row[TEXT].shape[1]
    return row if times == 1 else row | {TEXT: row[TEXT].repeat(1, times, 1)}
