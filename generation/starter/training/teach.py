"""Teach the U-Net and its language layers on pictures; resumes and can be stopped at any time.

    python -m generation.starter.training.teach --minutes 120

Goes on from the exported model. The share of composed pictures grows over the first half. Drawing
says little of which picture a text names, so every step asks that too, of more texts; of two things
the first is asked of the first state, the second of the pads, so that they can be told apart.
"""

from __future__ import annotations

import argparse
import random
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from generation.starter.corpus import lessons
from generation.starter.corpus.lessons import Lesson
from generation.starter.corpus.picture_sets import CACHE
from generation.starter.layout import LANGUAGE, MODEL
from generation.starter.networks.autoencoder import PatchEncoder
from generation.starter.networks.language_layers import LanguageLayers
from generation.starter.networks.stock_networks import alphas_sigmas
from generation.starter.networks.text_encoder import LAYERS
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.lesson_states import Curriculum, KeptStates, Read, read_curriculum
from generation.starter.training.sampling import MixedLessons

CHECKPOINT = "taught.pt"
EMPTY_SHARE = 0.1
COMPOSED_SHARES = (0.5, 0.7)
# In the loss, of the choices among pictures, as `views` come, and of two things as a whole.
ASKED_SHARES = (0.1, 0.05, 0.05, 0.05)
SHARPNESS = 40.0  # of that choice, by the cosine of the pooled text
NAMED_BY = 4  # texts of each picture that it is chosen by


class Student(nn.Module):
    """What learns: the language layers and the U-Net."""

    def __init__(self, language: LanguageLayers, unet: UNet2DConditionModel) -> None:
        super().__init__()
        self.language, self.unet = language, unet

    def say(self, read: Read) -> Tensor:
        """States [N, 24, 384] of the `read` texts."""
        states: Tensor = self.language(read.states, read.is_real, read.lengths)
        return states

    def views(self, states: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """What tells which pictures a text names, [N, T] each: what the U-Net takes of it as a
        whole, the state that stands for the first thing, and the one for the last."""
        pooled: Tensor = self.unet.add_embedding(states)
        return pooled, states[:, 0], states[:, -1]

    def forward(self, noisy: Tensor, timesteps: Tensor, states: Tensor) -> Tensor:
        """The velocity."""
        velocity: Tensor = self.unet(noisy, timesteps, states, return_dict=False)[0]
        return velocity


def from_exported(model: Path, folder: Path) -> Student:
    """The networks of an exported `model` and of its language `folder`, in fp32."""
    state = {name: weight.float() for name, weight in load_file(folder / LAYERS).items()}
    layers = {name: weight for name, weight in state.items() if name.startswith("layers.")}
    language = LanguageLayers(len({name.split(".")[1] for name in layers}))
    language.load_state_dict(layers)
    unet = UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32)
    return Student(language, unet)


@dataclass(frozen=True, slots=True)
class TaughtBatch:
    """`latents` [N, 16, 16, 16], and the texts: theirs, others, and the empty one at the end.

    `pictures` [3, N] are the places of those that are to be told from each of `Student.views`, -1
    where a text names no single one.
    """

    latents: Tensor
    read: Read
    pictures: Tensor


class Lessons:
    """Batches of latents and of what was said."""

    def __init__(self, curriculum: Curriculum, states: KeptStates, encoder: PatchEncoder) -> None:
        self._pixels, self._states, self._encoder = curriculum.drawn.pixels, states, encoder
        self._lessons = MixedLessons(curriculum)

    def draw(self, size: int, share: float, rng: random.Random) -> TaughtBatch:
        """`size` pictures with their texts, and as many texts more."""
        drawn = self._lessons.draw(size, share, rng)
        shown = [lessons.picture(each, self._pixels, rng) for each in drawn]
        said = drawn + self._lessons.draw(size, share, rng)
        alone = [each.first if each.kind == "one" else -1 for each in said]
        first, last = zip(*(_named(each) for each in said), strict=True)
        read = self._states.read([*(each.text for each in said), ""])
        return TaughtBatch(self._encoder.latents(shown), read, torch.tensor([alone, first, last]))


def _named(lesson: Lesson) -> tuple[int, int]:
    """The first and the last thing of a lesson."""
    return lesson.first, lesson.second if lesson.kind == "two" else lesson.first


class PictureChoice:
    """Which pictures a text names: those whose own texts it was nearest to at the start."""

    @torch.no_grad()
    def __init__(self, student: Student, curriculum: Curriculum, states: KeptStates) -> None:
        texts: defaultdict[int, list[str]] = defaultdict(list)
        for lesson in curriculum.lessons:
            kept = texts[lesson.first]
            if lesson.kind == "one" and not lesson.is_unseen and len(kept) < NAMED_BY:
                kept.append(lesson.text)
        named = [
            [view.mean(0) for view in student.views(student.say(states.read(texts[place])))]
            for place in range(len(curriculum.names))
        ]
        views = [torch.stack(each) for each in zip(*named, strict=True)]
        self._means = [each.mean(0) for each in views]
        self._directions = [functional.normalize(each - each.mean(0), dim=1) for each in views]

    def losses(self, views: tuple[Tensor, ...], pictures: Tensor) -> list[Tensor]:
        """Cross-entropy of the choice by each of the `views`, over the texts that name one."""
        parts = zip(views, self._means, self._directions, pictures, strict=True)
        return [_choice_loss(functional.normalize(v - m, dim=1) @ d.T, w) for v, m, d, w in parts]


def _choice_loss(cosine: Tensor, wanted: Tensor) -> Tensor:
    total = functional.cross_entropy(
        SHARPNESS * cosine, wanted, ignore_index=-1, reduction="sum"
    )  # a mean over none would be no number
    return total / (wanted >= 0).sum().clamp(min=1)


def velocity_loss(student: Student, latents: Tensor, states: Tensor) -> Tensor:
    """Mean squared error of the v-prediction at stratified timesteps; the last of the `states`
    are those of the empty text."""
    size = len(latents)
    timesteps = ((torch.randperm(size) + torch.rand(size)) / size * 1000).long()
    alpha, sigma = alphas_sigmas(timesteps)
    noise = torch.randn_like(latents)
    noisy = (alpha * latents + sigma * noise).to(memory_format=torch.channels_last)
    is_empty = (torch.rand(size) < EMPTY_SHARE)[:, None, None]
    made: Tensor = student(noisy, timesteps, torch.where(is_empty, states[-1:], states[:size]))
    wanted = alpha * noise - sigma * latents
    loss: Tensor = (made.float() - wanted).square().mean()
    return loss


def lesson_loss(student: Student, choice: PictureChoice, batch: TaughtBatch) -> Tensor:
    """What is asked of the networks at a step: to draw, and to know which picture is meant."""
    with mixed_precision():
        states = student.say(batch.read)
        drawn = velocity_loss(student, batch.latents, states)
        views = tuple(view.float() for view in student.views(states[:-1]))
        nothing = student.views(states[-1:])[0].float()
    losses = [*choice.losses(views, batch.pictures), _whole_of_two(views[0], nothing, batch)]
    return drawn + sum(map(torch.mul, losses, map(torch.tensor, ASKED_SHARES)), torch.zeros(()))


def _whole_of_two(pooled: Tensor, nothing: Tensor, batch: TaughtBatch) -> Tensor:
    """How far a text of two things as a whole is from saying nothing, in shares of `pooled`'s
    square: it would colour one thing with the other."""
    is_two = (batch.pictures[1] != batch.pictures[2])[:, None]
    squares = (pooled - nothing).square() * is_two
    return squares.sum() / (pooled.detach().square() * is_two).sum().clamp(min=1e-6)


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
    student = from_exported(options.start, LANGUAGE)
    student.unet.set_attn_processor(AttnProcessor())
    student.unet.to(memory_format=torch.channels_last)
    curriculum = read_curriculum(options.cache, options.composed)
    states = KeptStates(options.cache)
    taught = Lessons(curriculum, states, PatchEncoder(options.start))
    choice = PictureChoice(student.eval(), curriculum, states)
    student.train()
    plan = TrainingPlan(options.minutes, options.batch, options.learning_rate, falling_share=0.5)
    course = Course(dict(student.named_parameters()), plan, options.cache / CHECKPOINT)

    def loss(rng: random.Random) -> Tensor:
        share = composed_share(course.spent_s, plan)
        return lesson_loss(student, choice, taught.draw(plan.batch, share, rng))

    course.learn(loss)


if __name__ == "__main__":
    main()
