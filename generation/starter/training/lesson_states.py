"""What the pretrained encoder says of every text that is taught, read once and kept on disk.

    python -m generation.starter.training.lesson_states --composed 14000

Needs ten milliseconds a text on one core; pads are all alike but for their place, so one is kept.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import AutoTokenizer, BertModel

from generation.starter.corpus import lessons
from generation.starter.corpus.lessons import Composer, Lesson, read_sealed
from generation.starter.corpus.phrasing import Names, read_names
from generation.starter.corpus.picture_sets import (
    CACHE,
    EMOJIBASE,
    Transparent,
    fetch,
    load_transparent,
)
from generation.starter.networks import text_encoder as package
from generation.starter.networks.text_encoder import LENGTH, WIDTH, Spread

SEALED = Path("tests/starter/phrases")
TEXTS, STATES, OFFSETS, SPREAD = "texts.json", "states.npy", "offsets.npy", "spread.npz"


@dataclass(frozen=True, slots=True)
class Read:
    """`states` [N, L, 384] of mean 0 and deviation 1, which tokens are real, and how many."""

    states: Tensor
    is_real: Tensor
    lengths: Tensor


class KeptStates:
    """The states of all texts of a folder, fp16, one after the other."""

    def __init__(self, folder: Path) -> None:
        texts = json.loads((folder / TEXTS).read_text("utf-8"))
        self._place = {text: index for index, text in enumerate(texts)}
        self._states = np.load(folder / STATES, mmap_mode="r")
        self._offsets = np.load(folder / OFFSETS)
        spread = np.load(folder / SPREAD)
        self.spread = Spread(spread["mean"], spread["deviation"])

    def read(self, texts: Sequence[str]) -> Read:
        """The kept states of known `texts`, padded to the longest; raises KeyError."""
        found = [self._of(self._place[text]) for text in texts]
        lengths = torch.tensor([len(each) - 1 for each in found])
        states = np.zeros((len(found), int(lengths.max()) + 1, WIDTH), np.float32)
        for row, each in enumerate(found):
            states[row, : len(each)] = (each - self.spread.mean) / self.spread.deviation
        is_real = torch.arange(states.shape[1])[None] < lengths[:, None]
        return Read(torch.from_numpy(states), is_real, lengths)

    def _of(self, place: int) -> NDArray[np.float16]:
        return np.asarray(self._states[self._offsets[place] : self._offsets[place + 1]])


@torch.inference_mode()
def keep(texts: list[str], encoder: Path, folder: Path) -> None:
    """Read `texts` with the pipeline's `encoder` folder and write them to `folder`."""
    tokenizer = AutoTokenizer.from_pretrained(encoder / "tokenizer")
    model = BertModel.from_pretrained(
        encoder / "text_encoder", dtype=torch.float32, add_pooling_layer=False
    ).eval()
    texts = sorted(set(texts), key=len)
    kept: list[NDArray[np.float16]] = []
    for start in range(0, len(texts), 64):
        batch = tokenizer(
            texts[start : start + 64], truncation=True, max_length=LENGTH, padding=True,
            return_tensors="pt",
        )  # fmt: skip
        pad = torch.full((len(batch.input_ids), 1), tokenizer.pad_token_id)
        mask = torch.cat([batch.attention_mask, torch.zeros_like(pad)], 1)
        states = model(torch.cat([batch.input_ids, pad], 1), mask)[0]
        for row, length in zip(states, mask.sum(1).tolist(), strict=True):
            kept.append(torch.cat([row[:length], row[-1:]]).half().numpy())
        if start % 6400 == 0:
            print(f"{start} of {len(texts)} texts", flush=True)
    states = np.concatenate(kept)
    sample = states[:: max(1, len(states) // 20_000)].astype(np.float32)
    np.savez(folder / SPREAD, mean=sample.mean(0), deviation=sample.std(0))
    np.save(folder / STATES, states)
    np.save(folder / OFFSETS, np.cumsum([0, *map(len, kept)]))
    (folder / TEXTS).write_text(json.dumps(texts), "utf-8")


@dataclass(frozen=True, slots=True)
class Curriculum:
    """The pictures, what they are called, and every lesson about them."""

    drawn: Transparent
    names: list[Names]
    lessons: list[Lesson]


def read_curriculum(cache: Path, composed: int, sealed: Path = SEALED) -> Curriculum:
    """Fetches pictures and names on first use; the same lessons each time."""
    drawn = load_transparent("noto", cache)
    every = read_names(fetch(*EMOJIBASE, cache))
    names, never = [every[code] for code in drawn.codes], read_sealed(sealed)
    taught = list(lessons.single(names, never))
    taught += Composer(drawn.pixels, names).draw(composed, never, random.Random(77))
    return Curriculum(drawn, names, taught)


def main() -> None:
    """Writes the states of every lesson, and of the empty text."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--composed", type=int, default=14_000, help="lessons of more than one")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    package.write(options.cache / "encoder")
    curriculum = read_curriculum(options.cache, options.composed)
    texts = ["", *(lesson.text for lesson in curriculum.lessons)]
    keep(texts, options.cache / "encoder", options.cache)


if __name__ == "__main__":
    main()
