"""Train the base model on Noto Emoji; resumes from its checkpoint.

    python -m generation.starter.train --minutes 80 --threads 1

The learning rate follows the training time spent so far: constant, then falling to almost
nothing over the last 40 % of `--minutes`. Give a larger `--minutes` to go on.
"""

from __future__ import annotations

import argparse
import copy
import random
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from generation.starter.autoencoder import load_basis, load_latents
from generation.starter.captions import Caption, read_captions, vary, vocabulary
from generation.starter.network import alphas_sigmas, build_text_encoder, build_unet
from generation.starter.pictures import CACHE, EMOJIBASE, fetch, load
from generation.starter.tokenizer import build, encode, spare_ids

EMPTY_SHARE = 0.1
SPARE_SHARE = 0.1
CHECKPOINT = "base.pt"


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard to train; `minutes` counts the training time of all runs."""

    minutes: float
    batch: int = 32
    learning_rate: float = 1e-3
    save_every_s: float = 150

    def rate(self, step: int, spent_s: float) -> float:
        """Learning rate: warm-up over 100 steps, constant, linear fall over the last 40 %."""
        share = min(1.0, spent_s / (self.minutes * 60))
        return self.learning_rate * min((step + 1) / 100, 1, max(0.02, (1 - share) / 0.4))


@dataclass(frozen=True, slots=True)
class Lesson:
    """Latents float32 [N, 16, 16, 16] with their captions, and who turns captions into ids."""

    latents: Tensor
    captions: list[Caption]
    tokenizer: CLIPTokenizer
    spare: list[int]

    def draw(self, size: int, rng: random.Random) -> tuple[Tensor, Tensor]:
        """A batch: latents [size, 16, 16, 16] and token ids [size, 24]."""
        weights = [caption.weight for caption in self.captions]
        picked = rng.choices(range(len(self.captions)), weights, k=size)
        texts = [
            "" if rng.random() < EMPTY_SHARE else vary(self.captions[index], rng)
            for index in picked
        ]
        ids = torch.tensor(encode(self.tokenizer, texts))
        for row in ids:
            if self.spare and rng.random() < SPARE_SHARE:
                row[rng.randint(1, 4)] = self.spare[0]
        return self.latents[picked], ids


class Student(nn.Module):
    """The two networks that learn: text encoder and U-Net."""

    def __init__(self, text_encoder: CLIPTextModel, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.text_encoder = text_encoder
        self.unet = unet

    def forward(self, noisy: Tensor, timesteps: Tensor, ids: Tensor) -> Tensor:
        states = self.text_encoder(ids)[0]
        return self.unet(noisy, timesteps, states, return_dict=False)[0]


def velocity_loss(student: nn.Module, latents: Tensor, ids: Tensor) -> Tensor:
    """Mean squared error of the v-prediction at stratified timesteps."""
    size = len(latents)
    timesteps = ((torch.randperm(size) + torch.rand(size)) / size * 1000).long()
    alpha, sigma = alphas_sigmas(timesteps)
    noise = torch.randn_like(latents)
    with torch.autocast("cpu", torch.bfloat16):
        made = student(alpha * latents + sigma * noise, timesteps, ids)
    return (made.float() - (alpha * noise - sigma * latents)).square().mean()


@torch.no_grad()
def follow(average: Iterable[Tensor], weights: Iterable[Tensor], step: int) -> None:
    """Exponential moving average with a memory that grows to 500 steps."""
    keep = min(0.998, step / (step + 10))
    for mean, weight in zip(average, weights, strict=True):
        mean.lerp_(weight, 1 - keep)


def train(student: Student, lesson: Lesson, plan: Plan, checkpoint: Path) -> Student:
    """Train until `plan.minutes` are spent; returns the averaged weights."""
    optimizer = torch.optim.AdamW(
        student.parameters(), plan.learning_rate, betas=(0.9, 0.99), weight_decay=0.01, fused=True
    )
    average = copy.deepcopy(student)
    step, spent = 0, 0.0
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=True)
        student.load_state_dict(state["student"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        step, spent = state["step"], state["spent"]
    rng = random.Random(step)
    before, began, saved, losses = spent, time.monotonic(), time.monotonic(), []
    while spent < plan.minutes * 60:
        for group in optimizer.param_groups:
            group["lr"] = plan.rate(step, spent)
        loss = velocity_loss(student, *lesson.draw(plan.batch, rng))
        loss.backward()
        nn.utils.clip_grad_norm_(student.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        step += 1
        follow(average.parameters(), student.parameters(), step)
        spent = before + time.monotonic() - began
        losses.append(loss.item())
        if step % 50 == 0:
            rate = optimizer.param_groups[0]["lr"]
            print(f"step {step} loss {np.mean(losses):.4f} lr {rate:.1e} {spent:.0f} s", flush=True)
            losses = []
        if time.monotonic() - saved > plan.save_every_s or spent >= plan.minutes * 60:
            saved = time.monotonic()
            part = checkpoint.with_suffix(".part")
            torch.save(
                {
                    "student": student.state_dict(),
                    "average": average.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "step": step,
                    "spent": spent,
                },
                part,
            )
            part.replace(checkpoint)
    return average


def load_tokenizer(cache: Path = CACHE) -> tuple[CLIPTokenizer, list[int]]:
    """The tokenizer of every emojibase word, and the ids that no caption uses."""
    captions = read_captions(fetch(*EMOJIBASE, cache))
    words = vocabulary(list(captions.values()))
    tokenizer = build(words, cache / "tokenizer")
    return tokenizer, spare_ids(tokenizer, words)


def build_student(vocabulary_size: int) -> Student:
    """The base model's networks with fresh weights."""
    torch.manual_seed(0)
    return Student(build_text_encoder(vocabulary_size), build_unet())


def prepare(slug: str, cache: Path = CACHE) -> tuple[Student, Lesson]:
    """Fresh networks and the lesson of one picture set."""
    tokenizer, spare = load_tokenizer(cache)
    latents = load_latents(slug, load_basis(cache), cache)
    return build_student(len(tokenizer)), Lesson(
        latents, load(slug, cache).captions, tokenizer, spare
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=80, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    student, lesson = prepare("noto", options.cache)
    sizes = [sum(p.numel() for p in part.parameters()) / 1e6 for part in student.children()]
    print(f"text encoder {sizes[0]:.1f} M, unet {sizes[1]:.1f} M", flush=True)
    plan = Plan(options.minutes, options.batch, options.learning_rate)
    train(student, lesson, plan, options.cache / CHECKPOINT)


if __name__ == "__main__":
    main()
