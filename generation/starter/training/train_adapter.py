"""Train a style adapter (LoRA) for the exported model on another picture set; resumes.

    python -m generation.starter.training.train_adapter twemoji --minutes 10
    python -m generation.starter.training.train_adapter fluent-3d --minutes 10

PEFT adds the LoRA to linear layers only: attention, feed-forward, and the projections of the time
embedding, which reach the residual blocks at every resolution. So any server of stock LoRA layers
can serve it. Captions are those of the base model and name no style: the adapter alone makes it.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict, set_peft_model_state_dict
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import Parameter

from generation.starter.corpus.picture_sets import CACHE, load
from generation.starter.layout import ADAPTERS, CATALOGUE, LANGUAGE, MODEL
from generation.starter.networks.autoencoder import load_latents_of
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.lesson_states import KeptStates, Read, read_curriculum
from generation.starter.training.sampling import SingleLessons
from generation.starter.training.teach import Student, from_exported, velocity_loss

TARGETS = ["to_q", "to_k", "to_v", "to_out.0", "ff.net.0.proj", "ff.net.2"]


@dataclass(frozen=True, slots=True)
class Style:
    """What people read about an adapter, and the rank it is trained with."""

    name: str
    description: str
    licence: str
    rank: int


STYLES = {
    "twemoji": Style(
        "Twemoji",
        "Flat shapes in few plain colours, without shading.",
        "CC-BY-4.0; trained on Twemoji by Twitter, Inc. and other contributors",
        8,
    ),
    "fluent-3d": Style(
        "Fluent 3D",
        "Soft, rounded, shaded figures, as if modelled in clay.",
        "MIT; trained on Fluent Emoji by Microsoft Corporation",
        16,
    ),
}


class StyledLessons:
    """Lessons of single things in the pictures of another set."""

    def __init__(self, model: Path, slug: str, cache: Path) -> None:
        codes = {caption.code: n for n, caption in enumerate(load(slug, cache).captions)}
        curriculum = read_curriculum(cache, composed=0)
        self._place = {
            index: codes[code] for index, code in enumerate(curriculum.drawn.codes) if code in codes
        }
        drawn = [lesson for lesson in curriculum.lessons if lesson.first in self._place]
        self._lessons = SingleLessons(replace(curriculum, lessons=drawn))
        self._latents = load_latents_of(model, slug, cache)
        self._states = KeptStates(cache)

    def draw(self, size: int, rng: random.Random) -> tuple[Tensor, Read]:
        """Latents [size, 16, 16, 16] and the texts, an empty one after the last."""
        drawn = self._lessons.draw(size, rng)
        latents = self._latents[[self._place[lesson.first] for lesson in drawn]]
        return latents, self._states.read([*(lesson.text for lesson in drawn), ""])


def add_adapter(student: Student, rank: int, start: Path | None = None) -> dict[str, Parameter]:
    """Add a LoRA to the U-Net, untrained or from the file `start`; its weights alone learn."""
    student.requires_grad_(False)
    student.unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS))
    if start:
        state = {name.removeprefix("unet."): each for name, each in load_file(start).items()}
        set_peft_model_state_dict(student.unet, state)
    return {
        name: weight for name, weight in student.unet.named_parameters() if weight.requires_grad
    }


def save_adapter(student: Student, average: dict[str, Tensor], path: Path) -> None:
    """Write the averaged LoRA in PEFT's naming, fp16."""
    student.unet.load_state_dict(average, strict=False)
    state = get_peft_model_state_dict(student.unet)
    path.parent.mkdir(parents=True, exist_ok=True)
    StableDiffusionPipeline.save_lora_weights(
        path.parent,
        unet_lora_layers={name: weight.half().contiguous() for name, weight in state.items()},
        weight_name=path.name,
    )


def write_catalogue(folder: Path) -> None:
    """adapters.json: a row for each style that has a file in `folder`."""
    rows: list[dict[str, Any]] = [
        {
            "slug": slug,
            "name": style.name,
            "description": style.description,
            "trigger": "",
            "licence": style.licence,
        }
        for slug, style in STYLES.items()
        if (folder / f"{slug}.safetensors").exists()
    ]
    (folder / CATALOGUE).write_text(json.dumps(rows, indent=2) + "\n", "utf-8")


def train_adapter(
    student: Student,
    draw: Callable[[int, random.Random], tuple[Tensor, Read]],
    weights: dict[str, Parameter],
    plan: TrainingPlan,
    checkpoint: Path,
) -> Any:
    """Train `weights` until `plan.minutes` are spent; returns their average."""

    def loss(rng: random.Random) -> Tensor:
        latents, read = draw(plan.batch, rng)
        with mixed_precision():
            return velocity_loss(student, latents, student.say(read))

    return Course(weights, plan, checkpoint).learn(loss)


def main() -> None:
    """Trains the adapter of one style, saves it and writes the catalogue anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("style", choices=STYLES)
    parser.add_argument("--minutes", type=float, default=10, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--model", type=Path, default=MODEL, help="the exported base model")
    parser.add_argument("--folder", type=Path, default=ADAPTERS, help="where the adapter goes")
    parser.add_argument("--cache", type=Path, default=CACHE)
    parser.add_argument("--go-on", action="store_true", help="start from the file in --folder")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    slug, style = options.style, STYLES[options.style]
    student = from_exported(options.model, LANGUAGE)
    lessons = StyledLessons(options.model, slug, options.cache)
    plan = TrainingPlan(options.minutes, learning_rate=options.learning_rate)
    checkpoint = options.cache / f"adapter-{slug}.pt"
    file = options.folder / f"{slug}.safetensors"
    weights = add_adapter(student, style.rank, file if options.go_on else None)
    average = train_adapter(student, lessons.draw, weights, plan, checkpoint)
    save_adapter(student, average, file)
    write_catalogue(options.folder)


if __name__ == "__main__":
    main()
