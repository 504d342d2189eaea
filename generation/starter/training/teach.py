"""Teach the U-Net and its language layers on pictures; resumes and can be stopped at any time.

    python -m generation.starter.training.teach --minutes 120

Goes on from the exported model and from what `align` made of it, or, where the exported model has
language layers of its own, from these. The share of composed pictures grows over the first half.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file
from torch import Tensor, nn

from generation.starter.corpus import lessons
from generation.starter.corpus.picture_sets import CACHE
from generation.starter.layout import ALIGNED, LANGUAGE, MODEL
from generation.starter.networks.autoencoder import PatchEncoder
from generation.starter.networks.language_layers import LanguageLayers
from generation.starter.networks.stock_networks import alphas_sigmas
from generation.starter.networks.text_encoder import LAYERS, WIDTH
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.lesson_states import Curriculum, KeptStates, Read, read_curriculum
from generation.starter.training.sampling import MixedLessons

CHECKPOINT = "taught.pt"
EMPTY_SHARE = 0.1
COMPOSED_SHARES = (0.15, 0.4)


class Student(nn.Module):
    """What learns: the language layers and the U-Net."""

    def __init__(self, language: LanguageLayers, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.language, self.unet = language, unet

    def forward(self, noisy: Tensor, timesteps: Tensor, read: Read, is_empty: Tensor) -> Tensor:
        """The velocity; the last of the `read` texts is the empty one, said where `is_empty`."""
        states = self.language(read.states, read.is_real, read.lengths)
        states = torch.where(is_empty[:, None, None], states[-1:], states[:-1])
        velocity: Tensor = self.unet(noisy, timesteps, states, return_dict=False)[0]
        return velocity


def from_aligned(start: Path, aligned: Path) -> Student:
    """The exported U-Net with the ways in that `align` made."""
    state = {name: weight.float() for name, weight in load_file(aligned).items()}
    old = UNet2DConditionModel.from_pretrained(start / "unet", torch_dtype=torch.float32)
    config = {name: value for name, value in old.config.items() if not name.startswith("_")}
    unet = UNet2DConditionModel(
        **config | {"encoder_hid_dim": WIDTH, "encoder_hid_dim_type": "text_proj"}
    )
    kept = {n: w for n, w in old.state_dict().items() if not n.startswith("add_embedding")}
    for ours, theirs in (("project.", "encoder_hid_proj."), ("pool.", "add_embedding.")):
        kept |= {theirs + n[len(ours) :]: w for n, w in state.items() if n.startswith(ours)}
    unet.load_state_dict(kept)
    language = LanguageLayers()
    own = {n.removeprefix("language."): w for n, w in state.items() if n.startswith("language.")}
    language.load_state_dict(own)
    return Student(language, unet)


def from_exported(model: Path, folder: Path) -> Student:
    """The networks of an exported model and its language `folder`, in fp32."""
    state = {name: weight.float() for name, weight in load_file(folder / LAYERS).items()}
    layers = {name: weight for name, weight in state.items() if name.startswith("layers.")}
    language = LanguageLayers(len({name.split(".")[1] for name in layers}))
    language.load_state_dict(layers)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32)
    return Student(language, unet)


def load_start(model: Path) -> Student:
    """The networks that `model` has, or those that `align` made of it."""
    if (LANGUAGE / LAYERS).exists():
        return from_exported(model, LANGUAGE)
    return from_aligned(model, ALIGNED)


class Lessons:
    """Batches of latents and of what was said."""

    def __init__(self, curriculum: Curriculum, states: KeptStates, encoder: PatchEncoder) -> None:
        self._pixels, self._states, self._encoder = curriculum.drawn.pixels, states, encoder
        self._lessons = MixedLessons(curriculum)

    def draw(self, size: int, share: float, rng: random.Random) -> tuple[Tensor, Read]:
        """Latents [size, 16, 16, 16] and the texts, an empty one after the last."""
        drawn = self._lessons.draw(size, share, rng)
        shown = [lessons.picture(each, self._pixels, rng) for each in drawn]
        latents = self._encoder.latents(shown)
        return latents, self._states.read([*(each.text for each in drawn), ""])


def velocity_loss(student: Student, latents: Tensor, read: Read) -> Tensor:
    """Mean squared error of the v-prediction at stratified timesteps."""
    size = len(latents)
    timesteps = ((torch.randperm(size) + torch.rand(size)) / size * 1000).long()
    alpha, sigma = alphas_sigmas(timesteps)
    noise = torch.randn_like(latents)
    noisy = (alpha * latents + sigma * noise).to(memory_format=torch.channels_last)
    with mixed_precision():
        made: Tensor = student(noisy, timesteps, read, torch.rand(size) < EMPTY_SHARE)
    wanted = alpha * noise - sigma * latents
    loss: Tensor = (made.float() - wanted).square().mean()
    return loss


def composed_share(spent_s: float, plan: TrainingPlan) -> float:
    """Grows over the first half of the plan."""
    least, most = COMPOSED_SHARES
    return least + (most - least) * min(1.0, spent_s / (plan.minutes * 30))


def main() -> None:
    """Teaches for `--minutes` in all, from the checkpoint where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=120, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--learning-rate", type=float, default=3e-4)
    parser.add_argument("--composed", type=int, default=14_000, help="as lesson_states had it")
    parser.add_argument("--start", type=Path, default=MODEL, help="the exported model before")
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    student = load_start(options.start)
    student.unet.set_attn_processor(AttnProcessor())
    student.unet.to(memory_format=torch.channels_last)
    curriculum = read_curriculum(options.cache, options.composed)
    taught = Lessons(curriculum, KeptStates(options.cache), PatchEncoder(options.start))
    plan = TrainingPlan(options.minutes, options.batch, options.learning_rate, falling_share=0.5)
    course = Course(dict(student.named_parameters()), plan, options.cache / CHECKPOINT)

    def loss(rng: random.Random) -> Tensor:
        share = composed_share(course.spent_s, plan)
        return velocity_loss(student, *taught.draw(plan.batch, share, rng))

    course.learn(loss)


if __name__ == "__main__":
    main()
