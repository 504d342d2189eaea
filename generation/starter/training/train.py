"""Train the base model on Noto Emoji; resumes from its checkpoint.

    python -m generation.starter.training.train --minutes 80 --threads 1

Give a larger `--minutes` to go on. Where the checkpoint is lost, `--start generation/starter/model`
goes on from the exported weights and their autoencoder instead of fresh ones.
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor, nn
from transformers import CLIPTextModel, CLIPTokenizer

from generation.starter.corpus.captions import Caption, read_captions, vary, vocabulary
from generation.starter.corpus.picture_sets import CACHE, EMOJIBASE, fetch, load
from generation.starter.networks.autoencoder import load_basis, load_latents, load_latents_of
from generation.starter.networks.stock_networks import alphas_sigmas, build_text_encoder, build_unet
from generation.starter.networks.tokenizer import build, encode, spare_ids
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision

EMPTY_SHARE = 0.1
SPARE_SHARE = 0.1
CHECKPOINT = "base.pt"


@dataclass(frozen=True, slots=True)
class CaptionedLatents:
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
        velocity: Tensor = self.unet(noisy, timesteps, states, return_dict=False)[0]
        return velocity


def velocity_loss(student: nn.Module, latents: Tensor, ids: Tensor) -> Tensor:
    """Mean squared error of the v-prediction at stratified timesteps."""
    size = len(latents)
    timesteps = ((torch.randperm(size) + torch.rand(size)) / size * 1000).long()
    alpha, sigma = alphas_sigmas(timesteps)
    noise = torch.randn_like(latents)
    with mixed_precision():
        made: Tensor = student(alpha * latents + sigma * noise, timesteps, ids)
    return (made.float() - (alpha * noise - sigma * latents)).square().mean()


def quicken(student: Student) -> Student:
    """Plain attention and channels last: a step takes a seventh less on a CPU, same weights."""
    student.unet.set_attn_processor(AttnProcessor())
    student.unet.to(memory_format=torch.channels_last)
    return student


def train(
    student: Student, lesson: CaptionedLatents, plan: TrainingPlan, checkpoint: Path
) -> Student:
    """Train until `plan.minutes` are spent, then give `student` the averaged weights."""
    course = Course(dict(quicken(student).named_parameters()), plan, checkpoint)
    average = course.learn(lambda rng: velocity_loss(student, *lesson.draw(plan.batch, rng)))
    student.load_state_dict(average)
    return student


def load_tokenizer(cache: Path = CACHE) -> tuple[CLIPTokenizer, list[int]]:
    """The tokenizer of every emojibase word, and the ids that no caption uses."""
    captions = read_captions(fetch(*EMOJIBASE, cache))
    words = vocabulary(list(captions.values()))
    tokenizer = build(words, cache / "tokenizer")
    return tokenizer, spare_ids(tokenizer, words)


def load_student(model: Path) -> tuple[Student, CLIPTokenizer]:
    """The networks of an exported model in fp32."""
    student = Student(
        CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32),
        UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32),
    )
    return student, CLIPTokenizer.from_pretrained(model / "tokenizer")


def build_student(vocabulary_size: int) -> Student:
    """The base model's networks with fresh weights."""
    torch.manual_seed(0)
    return Student(build_text_encoder(vocabulary_size), build_unet())


def prepare(slug: str, cache: Path = CACHE) -> tuple[Student, CaptionedLatents]:
    """Fresh networks and the lesson of one picture set."""
    tokenizer, spare = load_tokenizer(cache)
    latents = load_latents(slug, load_basis(cache), cache)
    return build_student(len(tokenizer)), CaptionedLatents(
        latents, load(slug, cache).captions, tokenizer, spare
    )


def prepare_from(model: Path, slug: str, cache: Path = CACHE) -> tuple[Student, CaptionedLatents]:
    """The networks of an exported model, and the lesson in its own latents."""
    student, tokenizer = load_student(model)
    words = vocabulary(list(read_captions(fetch(*EMOJIBASE, cache)).values()))
    latents = load_latents_of(model, slug, cache)
    return student, CaptionedLatents(
        latents, load(slug, cache).captions, tokenizer, spare_ids(tokenizer, words)
    )


def main() -> None:
    """Trains for `--minutes` in all, from the checkpoint where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=80, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--start", type=Path, help="an exported model to go on from")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.start:
        student, lesson = prepare_from(options.start, "noto", options.cache)
    else:
        student, lesson = prepare("noto", options.cache)
    sizes = [sum(p.numel() for p in part.parameters()) / 1e6 for part in student.children()]
    print(f"text encoder {sizes[0]:.1f} M, unet {sizes[1]:.1f} M", flush=True)
    plan = TrainingPlan(options.minutes, options.batch, options.learning_rate)
    train(student, lesson, plan, options.cache / CHECKPOINT)


if __name__ == "__main__":
    main()
