"""Train a style adapter (LoRA) for the exported model on another picture set; resumes.

    python -m generation.starter.train_adapter twemoji --minutes 10
    python -m generation.starter.train_adapter fluent-3d --minutes 10

PEFT adds the LoRA to linear layers only: attention, feed-forward, and the projections of the time
embedding, which reach the residual blocks at every resolution. So any server of stock LoRA layers
can serve it. Captions are those of the base model and name no style: the adapter alone makes it.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import StableDiffusionPipeline, UNet2DConditionModel
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from generation.starter.autoencoder import load_basis, load_latents
from generation.starter.course import Course, Plan
from generation.starter.layout import ADAPTERS, CATALOGUE, MODEL
from generation.starter.pictures import CACHE, load
from generation.starter.train import Lesson, Student, velocity_loss

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


def load_student(model: Path) -> tuple[Student, CLIPTokenizer]:
    """The exported networks in fp32, frozen."""
    student = Student(
        CLIPTextModel.from_pretrained(model / "text_encoder", dtype=torch.float32),
        UNet2DConditionModel.from_pretrained(model / "unet", torch_dtype=torch.float32),
    )
    student.requires_grad_(False)
    return student, CLIPTokenizer.from_pretrained(model / "tokenizer")


def add_adapter(student: Student, rank: int) -> dict[str, torch.nn.Parameter]:
    """Add an untrained LoRA to the U-Net; returns its weights, the only ones that learn."""
    student.unet.add_adapter(LoraConfig(r=rank, lora_alpha=rank, target_modules=TARGETS))
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


def train_adapter(student: Student, lesson: Lesson, rank: int, plan: Plan, checkpoint: Path) -> Any:
    """Train until `plan.minutes` are spent; returns the averaged weights of the LoRA."""
    course = Course(add_adapter(student, rank), plan, checkpoint)
    return course.learn(lambda rng: velocity_loss(student, *lesson.draw(plan.batch, rng)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("style", choices=STYLES)
    parser.add_argument("--minutes", type=float, default=10, help="training time in all")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--learning-rate", type=float, default=2e-3)
    parser.add_argument("--model", type=Path, default=MODEL, help="the exported base model")
    parser.add_argument("--folder", type=Path, default=ADAPTERS, help="where the adapter goes")
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    slug, style = options.style, STYLES[options.style]
    student, tokenizer = load_student(options.model)
    latents = load_latents(slug, load_basis(options.cache), options.cache)
    lesson = Lesson(latents, load(slug, options.cache).captions, tokenizer, [])
    plan = Plan(options.minutes, learning_rate=options.learning_rate)
    checkpoint = options.cache / f"adapter-{slug}.pt"
    average = train_adapter(student, lesson, style.rank, plan, checkpoint)
    save_adapter(student, average, options.folder / f"{slug}.safetensors")
    write_catalogue(options.folder)


if __name__ == "__main__":
    main()
