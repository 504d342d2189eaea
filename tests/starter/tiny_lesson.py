"""A lesson of a few flat pictures, small enough to train on for a second."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import CLIPTokenizer

from generation.starter.corpus.captions import Caption, vocabulary
from generation.starter.networks.autoencoder import Basis, fit_basis, to_unit
from generation.starter.networks.stock_networks import build_text_encoder, build_unet
from generation.starter.networks.tokenizer import build, spare_ids
from generation.starter.resumable_training import TrainingPlan
from generation.starter.training.train import CaptionedLatents, Student

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 220)}


def plan(steps: int, *, batch: int = 4, learning_rate: float = 1e-3) -> TrainingPlan:
    """So many steps on any machine: the clock ticks a second at each look."""
    ticks = itertools.count()
    return TrainingPlan(
        steps / 60, batch=batch, learning_rate=learning_rate, clock=lambda: float(next(ticks))
    )


def pictures() -> NDArray[np.uint8]:
    """uint8 [12, 128, 128, 3]: discs and stripes of each colour on white, at two sizes."""
    rows, columns = np.mgrid[:128, :128]
    made = []
    for colour in COLOURS.values():
        for reach in (30, 50):
            for shape in (np.hypot(rows - 64, columns - 64), abs(rows - columns)):
                picture = np.full((128, 128, 3), 255, np.uint8)
                picture[shape < reach] = colour
                made.append(picture)
    return np.stack(made)


def basis() -> Basis:
    torch.manual_seed(0)
    images = to_unit(pictures())
    return fit_basis(images + 0.02 * torch.randn_like(images))


def lesson(folder: Path) -> CaptionedLatents:
    """Four pictures of each colour, captioned by it."""
    captions = [Caption(f"{c}{n}", c, ("disc",), 1) for c in COLOURS for n in range(4)]
    words = vocabulary(captions)
    tokenizer = build(words, folder)
    latents = basis().encode(to_unit(pictures()))
    return CaptionedLatents(latents, captions, tokenizer, spare_ids(tokenizer, words))


def student(tokenizer: CLIPTokenizer) -> Student:
    torch.manual_seed(0)
    text_encoder = build_text_encoder(len(tokenizer), width=32)
    return Student(text_encoder, build_unet((16, 32, 32), width=32))
