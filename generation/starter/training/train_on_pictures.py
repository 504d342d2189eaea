"""Train a LoRA adapter for the starter model from a folder of pictures, with diffusers and PEFT.

    python -m generation.starter.training.train_on_pictures FOLDER my-style.safetensors

Each picture is called what its file is called ("a-red-apple.png"), or what the text file of the
same name says. What is written can be uploaded like any other (docs/use/train-an-adapter.md).
"""

from __future__ import annotations

import argparse
import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from transformers import AutoTokenizer, BertModel

from generation.starter.corpus.compositions import Picture
from generation.starter.corpus.picture_sets import SIZE
from generation.starter.layout import LANGUAGE, MODEL
from generation.starter.networks.autoencoder import PatchEncoder
from generation.starter.networks.text_encoder import LENGTH
from generation.starter.resumable_training import Course, TrainingPlan, mixed_precision
from generation.starter.training.teach import from_exported, velocity_loss
from generation.starter.training.train_adapter import add_adapter, save_adapter

SUFFIXES = {".png", ".jpg", ".jpeg", ".webp"}


class NoPictures(ValueError):
    """The folder has nothing to learn from; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Example:
    """RGB `pixels` uint8 [128, 128, 3] and what they show."""

    pixels: Picture
    text: str


def read_examples(folder: Path) -> list[Example]:
    """Every picture of `folder`, shrunk onto a white square; raises NoPictures."""
    if not folder.is_dir():
        raise NoPictures(f"{folder} is no folder.")
    found = [_read(path) for path in sorted(folder.iterdir()) if path.suffix.lower() in SUFFIXES]
    if not found:
        raise NoPictures(f"{folder} holds no picture ({', '.join(sorted(SUFFIXES))}).")
    return found


def _read(path: Path) -> Example:
    try:
        with Image.open(path) as opened:
            shown = ImageOps.exif_transpose(opened).convert("RGBA")
    except (OSError, UnidentifiedImageError) as error:
        raise NoPictures(f"{path.name} cannot be read as a picture.") from error
    ground = Image.new("RGBA", shown.size, "white")
    ground.alpha_composite(shown)
    square = ImageOps.pad(ground.convert("RGB"), (SIZE, SIZE), color="white")
    said = path.with_suffix(".txt")
    text = said.read_text("utf-8") if said.exists() else path.stem.replace("-", " ")
    return Example(np.array(square), " ".join(text.split()))


@torch.inference_mode()
def read_texts(model: Path, texts: list[str]) -> Tensor:
    """States [N, 24, 384] of `texts` by the text encoder of an exported model."""
    tokenizer = AutoTokenizer.from_pretrained(model / "tokenizer")
    encoder = BertModel.from_pretrained(model / "text_encoder", dtype=torch.float32).eval()
    said = tokenizer(
        texts, padding="max_length", max_length=LENGTH, truncation=True, return_tensors="pt"
    )
    states: Tensor = encoder(said.input_ids, said.attention_mask)[0]
    return states


def train(model: Path, examples: list[Example], out: Path, rank: int, plan: TrainingPlan) -> None:
    """Write to `out` an adapter that learned `examples` until the plan's time was spent."""
    student = from_exported(model, LANGUAGE)
    latents = PatchEncoder(model).latents([each.pixels for each in examples])
    states = read_texts(model, [*(each.text for each in examples), ""])
    weights = add_adapter(student, rank)

    def loss(rng: random.Random) -> Tensor:
        drawn = torch.tensor(rng.choices(range(len(examples)), k=plan.batch))
        with mixed_precision():
            return velocity_loss(student, latents[drawn], torch.cat([states[drawn], states[-1:]]))

    average = Course(weights, plan, out.with_suffix(".checkpoint")).learn(loss)
    save_adapter(student, average, out)


def main() -> None:
    """Trains for `--minutes` in all; stopped and started again, it goes on where it was."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("pictures", type=Path, help="a folder of ten pictures or more")
    parser.add_argument("out", type=Path, help="the adapter's file, .safetensors")
    parser.add_argument("--minutes", type=float, default=20, help="training time in all")
    parser.add_argument("--rank", type=int, default=8)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--model", type=Path, default=MODEL, help="the exported base model")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    plan = TrainingPlan(options.minutes, 16, options.learning_rate)
    try:
        train(options.model, read_examples(options.pictures), options.out, options.rank, plan)
    except NoPictures as error:
        raise SystemExit(str(error)) from error
    print(f"{options.out}: {options.out.stat().st_size / 2**20:.1f} MiB, rank {options.rank}")


if __name__ == "__main__":
    main()
