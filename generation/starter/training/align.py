"""Teach layers above the pretrained encoder to give the U-Net what its old text encoder gave it.

    python -m generation.starter.training.align --minutes 55

The model it starts from is an exported folder with a text encoder of its own. A phrasing is read
right when each cross-attention of the U-Net takes from it what it took from the picture's caption,
whatever tokens that stands on; so the layers are judged by attention's answers to queries that the
U-Net really asks, by the pooled text, and by whether the pooled text is nearest to the right
picture's. No picture is drawn, so this takes minutes where the whole network takes hours.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.embeddings import TextTimeEmbedding
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional
from transformers import CLIPTextModel, CLIPTokenizer

from generation.starter.corpus import compositions
from generation.starter.corpus.captions import read_captions
from generation.starter.corpus.picture_sets import CACHE, EMOJIBASE, fetch
from generation.starter.layout import ALIGNED, MODEL
from generation.starter.networks.autoencoder import PatchEncoder
from generation.starter.networks.language_layers import LanguageLayers
from generation.starter.networks.stock_networks import alphas_sigmas
from generation.starter.networks.text_encoder import WIDTH, Spread
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.lesson_states import Curriculum, KeptStates, read_curriculum
from generation.starter.training.sampling import SingleLessons

CHECKPOINT = "aligned.pt"
QUERIES = 40  # of each cross-attention
SHARPNESS = 40.0  # of the choice among all pictures by the cosine of the pooled text
PROBED = 48  # pictures that the queries are taken from


class Aligned(nn.Module):
    """The layers, and the two ways from them into the U-Net: tokens and pooled text."""

    def __init__(self, text_width: int, time_width: int, heads: int) -> None:
        super().__init__()
        self.language = LanguageLayers()
        self.project = nn.Linear(WIDTH, text_width)
        self.pool = TextTimeEmbedding(WIDTH, time_width, heads)


@torch.inference_mode()
def read_captions_as_before(start: Path, labels: list[str]) -> Tensor:
    """The old text encoder's states [N, 24, 192] of the captions it was trained on."""
    encoder = CLIPTextModel.from_pretrained(start / "text_encoder", dtype=torch.float32)
    tokenizer = CLIPTokenizer.from_pretrained(start / "tokenizer")
    batches = []
    for at in range(0, len(labels), 256):
        ids = tokenizer(
            labels[at : at + 256], padding="max_length", max_length=24, truncation=True,
            return_tensors="pt",
        ).input_ids  # fmt: skip
        batches.append(encoder(ids)[0])
    return torch.cat(batches)


class Listener:
    """What the U-Net's cross-attentions answer to queries of its own."""

    def __init__(self, unet: UNet2DConditionModel) -> None:
        self._blocks: list[Any] = [
            block for name, block in unet.named_modules() if name.endswith("attn2")
        ]
        self._unet = unet
        self._queries: list[Tensor] = []
        self._spreads: list[Tensor] = []

    @torch.no_grad()
    def ask(self, latents: Tensor, states: Tensor) -> None:
        """Keep queries that the network asks of noisy `latents`, and how far answers differ."""
        asked: list[list[Tensor]] = [[] for _ in self._blocks]
        hooks = [
            block.to_q.register_forward_hook(lambda _, __, made, kept=kept: kept.append(made))
            for block, kept in zip(self._blocks, asked, strict=True)
        ]
        timesteps = torch.randint(50, 1000, (len(latents),))
        alpha, sigma = alphas_sigmas(timesteps)
        self._unet(alpha * latents + sigma * torch.randn_like(latents), timesteps, states)
        for hook in hooks:
            hook.remove()
        for kept in asked:
            every = torch.cat([each.flatten(0, 1) for each in kept])
            self._queries.append(every[torch.randperm(len(every))[:QUERIES]])
        self._spreads = [(each - each.mean(0)).square().mean() for each in self._answers(states)]

    def _answers(self, states: Tensor) -> list[Tensor]:
        made = []
        for block, queries in zip(self._blocks, self._queries, strict=True):
            key, value = (
                each.unflatten(-1, (block.heads, -1)).transpose(1, 2)
                for each in (block.to_k(states), block.to_v(states))
            )
            query = queries.unflatten(-1, (block.heads, -1)).transpose(0, 1)[None]
            query = query.expand(len(states), -1, -1, -1)
            made.append(functional.scaled_dot_product_attention(query, key, value))
        return made

    def difference(self, said: Tensor, wanted: Tensor) -> Tensor:
        """Mean squared difference of the answers as a share of their spread."""
        pairs = zip(self._answers(said), self._answers(wanted), self._spreads, strict=True)
        return torch.stack([(a - b).square().mean() / spread for a, b, spread in pairs]).mean()


class CaptionReadings:
    """What the old text encoder said of every picture: states, and pooled text."""

    @torch.no_grad()
    def __init__(self, states: Tensor, unet: UNet2DConditionModel) -> None:
        self.states = states
        self.pooled = torch.cat([unet.add_embedding(each) for each in states.split(256)])
        self._mean, self._variance = self.pooled.mean(0), self.pooled.var()
        self._directions = functional.normalize(self.pooled - self._mean, dim=1)

    def distance(self, pooled: Tensor, picked: list[int]) -> Tensor:
        return (pooled - self.pooled[picked]).square().mean() / self._variance

    def choice(self, pooled: Tensor) -> Tensor:
        """Logits [N, pictures]: which picture the pooled text is nearest to."""
        return SHARPNESS * functional.normalize(pooled - self._mean, dim=1) @ self._directions.T


class LanguageAlignment:
    """The loss of a batch of phrasings, and how many unseen ones are understood."""

    def __init__(
        self,
        curriculum: Curriculum,
        states: KeptStates,
        unet: UNet2DConditionModel,
        wanted: CaptionReadings,
    ) -> None:
        self._states, self._wanted = states, wanted
        self._listener = Listener(unet)
        self._lessons = SingleLessons(curriculum)
        heads = int(unet.config.addition_embed_type_num_heads)
        self.aligned = Aligned(wanted.states.shape[2], wanted.pooled.shape[1], heads)

    def ask(self, latents: Tensor, picked: list[int]) -> None:
        self._listener.ask(latents, self._wanted.states[picked])

    def _say(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        read = self._states.read(texts)
        with mixed_precision():
            said = self.aligned.language(read.states, read.is_real, read.lengths)
        said = said.float()
        return self.aligned.project(said), self.aligned.pool(said)

    def loss(self, size: int, rng: random.Random) -> Tensor:
        drawn = self._lessons.draw(size, rng)
        picked = [lesson.first for lesson in drawn]
        said, pooled = self._say([lesson.text for lesson in drawn])
        chosen = functional.cross_entropy(self._wanted.choice(pooled), torch.tensor(picked))
        answers = self._listener.difference(said, self._wanted.states[picked])
        return answers + 0.5 * self._wanted.distance(pooled, picked) + 0.25 * chosen

    @torch.inference_mode()
    def understood(self, count: int = 700) -> tuple[float, float]:
        """Shares of unseen phrasings of things whose picture is the nearest, and among ten."""
        self.aligned.eval()
        first = among = 0
        unseen = self._lessons.unseen(count)
        for at in range(0, len(unseen), 100):
            part = unseen[at : at + 100]
            _, pooled = self._say([lesson.text for lesson in part])
            near = self._wanted.choice(pooled).topk(10).indices
            is_it = near == torch.tensor([[lesson.first] for lesson in part])
            first, among = first + int(is_it[:, 0].sum()), among + int(is_it.any(1).sum())
        self.aligned.train()
        return first / len(unseen), among / len(unseen)


def prepare(start: Path, cache: Path) -> LanguageAlignment:
    """The alignment of the lessons of `cache` with the exported model `start`."""
    curriculum = read_curriculum(cache, composed=0)
    captions = read_captions(fetch(*EMOJIBASE, cache))
    labels = [captions[code].label for code in curriculum.drawn.codes]
    unet = UNet2DConditionModel.from_pretrained(start / "unet", torch_dtype=torch.float32)
    unet.eval().requires_grad_(requires_grad=False)
    wanted = CaptionReadings(read_captions_as_before(start, labels), unet)
    alignment = LanguageAlignment(curriculum, KeptStates(cache), unet, wanted)
    picked = random.Random(1).sample(range(len(labels)), PROBED)
    pixels = curriculum.drawn.pixels
    probes = [compositions.on_white(np.array(pixels[index])) for index in picked]
    alignment.ask(PatchEncoder(start).latents(probes), picked)
    return alignment


def write(aligned: Aligned, spread: Spread, path: Path) -> None:
    """What `teach` goes on from, in fp16, with the spread of the states below it."""
    tensors = {n: weight.half().contiguous() for n, weight in aligned.state_dict().items()}
    tensors["mean"] = torch.from_numpy(spread.mean)
    tensors["deviation"] = torch.from_numpy(spread.deviation)
    save_file(tensors, path, {"format": "pt"})


def main() -> None:
    """Aligns for `--minutes` in all, from the checkpoint where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--start", type=Path, default=MODEL, help="the exported model before")
    parser.add_argument("--out", type=Path, default=ALIGNED, help="replaced by the result")
    parser.add_argument("--minutes", type=float, default=40, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    alignment = prepare(options.start, options.cache)
    plan = TrainingPlan(options.minutes, 96, 1.2e-3, falling_share=0.6)
    weights = dict(alignment.aligned.named_parameters())
    course = Course(weights, plan, options.cache / CHECKPOINT)
    average = course.learn(lambda rng: alignment.loss(plan.batch, rng))
    alignment.aligned.load_state_dict(average)
    write(alignment.aligned, KeptStates(options.cache).spread, options.out)
    nearest, among = alignment.understood()
    print(f"of unseen phrasings of things {nearest:.3f} nearest, {among:.3f} among ten")


if __name__ == "__main__":
    main()
