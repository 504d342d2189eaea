"""What the base model is taught: pictures on the fly with a way to ask for them, as latents and
states of the text encoder."""

from __future__ import annotations

import random
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderTiny
from torch import Tensor
from torch.nn import functional
from transformers import AutoTokenizer, BertModel

from generation.starter.corpus import compositions, phrasing
from generation.starter.corpus.compositions import Picture
from generation.starter.corpus.phrasing import JOINTS, Names
from generation.starter.networks.autoencoder import PATCH, to_unit
from generation.starter.networks.text_encoder import LENGTH

EMPTY_SHARE = 0.1
CLOTHING = 65
PHRASES = 16  # of one thing; the encoder reads each once and remembers it
PAIRS = 24_000  # compositions that training knows; what is asked of two things is never all of them


@dataclass(frozen=True, slots=True)
class Mix:
    """Shares of recoloured, counted and joined pictures; the rest shows one thing as it is."""

    coloured: float = 0.1
    counted: float = 0.07
    joined: float = 0.18


class Texts:
    """The frozen encoder with a memory of its newest `kept` texts; states [N, 24, 384]."""

    def __init__(self, folder: Path, kept: int = 120_000) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(folder / "tokenizer")
        self._encoder = BertModel.from_pretrained(
            folder / "text_encoder", dtype=torch.float32, add_pooling_layer=False
        ).eval()
        self._kept, self._known = kept, OrderedDict[str, Tensor]()

    @torch.no_grad()
    def _encode(self, texts: list[str]) -> Tensor:
        batch = self._tokenizer(
            texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            made = self._encoder(batch.input_ids, batch.attention_mask)[0]
        return made.half()  # type: ignore[no-any-return]  # transformers is untyped here

    def states(self, texts: list[str]) -> Tensor:
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        if new:
            self._known.update(zip(new, self._encode(new), strict=True))
        found = torch.stack([self._known[text] for text in texts]).float()
        while len(self._known) > self._kept:
            self._known.popitem(last=False)
        return found


class Encoder:
    """The exported autoencoder's exact patch codes as the one convolution that they are."""

    @torch.no_grad()
    def __init__(self, model: Path) -> None:
        encoder = AutoencoderTiny.from_pretrained(model / "vae", torch_dtype=torch.float32).encoder
        units = torch.eye(3 * PATCH * PATCH).view(-1, 3, PATCH, PATCH)
        nothing = encoder(torch.zeros(1, 3, PATCH, PATCH))[:, :, 0, 0]
        columns = encoder(units)[:, :, 0, 0] - nothing
        self._kernel = columns.T.reshape(-1, 3, PATCH, PATCH).contiguous()
        self._offset = nothing[0]

    def latents(self, pictures: list[Picture]) -> Tensor:
        """RGB pictures to float32 [N, 16, 16, 16]."""
        images = to_unit(np.stack(pictures)).mul(2).sub(1)
        return functional.conv2d(images, self._kernel, self._offset, stride=PATCH)


def phrase_of(names: Names, rng: random.Random) -> str:
    """One of the PHRASES of this picture, always the same ones."""
    return phrasing.phrase(names, random.Random(f"{names.code} {rng.randrange(PHRASES)}"))


class Lesson:
    """`pictures` uint8 [N, 128, 128, 4] with their names; `sealed` texts are never said."""

    def __init__(
        self, pictures: Picture, names: list[Names], texts: Texts, encoder: Encoder,
        sealed: frozenset[str], mix: Mix,
    ) -> None:  # fmt: skip
        self._pictures, self._names, self._texts, self._encoder = pictures, names, texts, encoder
        self._sealed, self._mix = sealed, mix
        self._weights = [each.weight for each in names]
        self._things = [n for n, each in enumerate(names) if each.is_thing and each.variants == 1]
        self._thing_weights = [self._weights[n] for n in self._things]
        self._worn = [n for n in self._things if names[n].subgroup == CLOTHING]
        self._colourable = [
            n for n in self._things if compositions.main_hue(np.array(pictures[n])) is not None
        ]

    def draw(self, size: int, rng: random.Random) -> tuple[Tensor, Tensor]:
        """A batch: latents [size, 16, 16, 16] and states [size, 24, 384]."""
        pairs = [self._one(rng) for _ in range(size)]
        texts = ["" if rng.random() < EMPTY_SHARE else text for _, text in pairs]
        return self._encoder.latents([p for p, _ in pairs]), self._texts.states(texts)

    def _one(self, rng: random.Random) -> tuple[Picture, str]:
        while True:
            picture, text = self._compose(rng)
            if text.lower() not in self._sealed:
                return picture, text

    def _picture(self, index: int) -> Picture:
        return np.array(self._pictures[index])

    def _compose(self, rng: random.Random) -> tuple[Picture, str]:
        drawn, mix = rng.random(), self._mix
        if drawn < mix.coloured:
            index = rng.choice(self._colourable)
            colour = rng.choice(list(phrasing.COLOURS))
            made = compositions.recolour(self._picture(index), colour)
            return compositions.on_white(made), phrasing.coloured(self._names[index], colour, rng)
        if drawn < mix.coloured + mix.counted:
            index, count = self._thing(rng), rng.choice((2, 2, 3, 3, 4))
            made = compositions.several(self._picture(index), count, rng)
            return made, phrasing.counted(self._names[index], count, rng)
        if drawn < mix.coloured + mix.counted + mix.joined:
            return self._two(random.Random(rng.randrange(PAIRS)))
        index = rng.choices(range(len(self._names)), self._weights)[0]
        picture = self._picture(index)
        if rng.random() < 0.15:
            made = compositions.moved(picture, rng)
        else:
            made = compositions.on_white(picture)
        return made, phrase_of(self._names[index], rng)

    def _two(self, rng: random.Random) -> tuple[Picture, str]:
        relation = rng.choice(list(JOINTS))
        first, second = self._thing(rng), self._thing(rng)
        if relation == "worn" and rng.random() < 0.7:
            second = rng.choice(self._worn)
        made = compositions.two(self._picture(first), self._picture(second), relation, rng)
        text = phrasing.joined(self._names[first], self._names[second], relation, rng)
        return made, text

    def _thing(self, rng: random.Random) -> int:
        return rng.choices(self._things, self._thing_weights)[0]
