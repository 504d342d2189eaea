"""A curriculum of a few flat pictures, small enough to train on for a second."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch
from diffusers import UNet2DConditionModel
from numpy.typing import NDArray

from generation.starter.corpus.lessons import Lesson
from generation.starter.corpus.phrasing import Names
from generation.starter.corpus.picture_sets import Transparent
from generation.starter.networks.autoencoder import Basis, build_autoencoder, fit_basis, to_unit
from generation.starter.networks.language_layers import LanguageLayers
from generation.starter.networks.stock_networks import build_scheduler
from generation.starter.networks.text_encoder import WIDTH
from generation.starter.resumable_training import TrainingPlan
from generation.starter.training.lesson_states import Curriculum
from generation.starter.training.teach import Student
from tests.small_unet import small_unet

COLOURS = {"red": (220, 40, 40), "green": (40, 180, 60), "blue": (40, 60, 220)}


def plan(steps: int, *, batch: int = 4, learning_rate: float = 1e-3) -> TrainingPlan:
    """So many steps on any machine: the clock ticks a second at each look."""
    ticks = itertools.count()
    return TrainingPlan(
        steps / 60, batch=batch, learning_rate=learning_rate, clock=lambda: float(next(ticks))
    )


def pictures() -> NDArray[np.uint8]:
    """uint8 [12, 128, 128, 4]: discs and stripes of each colour, at two sizes."""
    rows, columns = np.mgrid[:128, :128]
    made = []
    for colour in COLOURS.values():
        for reach in (30, 50):
            for shape in (np.hypot(rows - 64, columns - 64), abs(rows - columns)):
                picture = np.zeros((128, 128, 4), np.uint8)
                picture[shape < reach] = (*colour, 255)
                made.append(picture)
    return np.stack(made)


def on_white() -> NDArray[np.uint8]:
    """RGB uint8 [12, 128, 128, 3]."""
    shown = pictures()
    return np.where(shown[..., 3:] > 0, shown[..., :3], np.uint8(255))


def basis() -> Basis:
    torch.manual_seed(0)
    images = to_unit(on_white())
    return fit_basis(images + 0.02 * torch.randn_like(images))


def curriculum() -> Curriculum:
    """Four pictures of each colour, asked for by it."""
    codes = [f"{colour}{n}" for colour in COLOURS for n in range(4)]
    said = [colour for colour in COLOURS for _ in range(4)]
    names = [
        Names(code, 6, 60, 1, ((colour,),) * 4, "")
        for code, colour in zip(codes, said, strict=True)
    ]
    taught = [Lesson(f"a {colour} disc", "one", n) for n, colour in enumerate(said)]
    taught += [Lesson(f"the {colour}", "one", n, is_unseen=True) for n, colour in enumerate(said)]
    return Curriculum(Transparent(pictures(), codes), names, taught)


def reading_unet() -> UNet2DConditionModel:
    """The starter's U-Net with few channels, which reads the language layers."""
    torch.manual_seed(0)
    return small_unet(32, encoder_hid_dim=WIDTH, encoder_hid_dim_type="text_proj")


def student() -> Student:
    torch.manual_seed(0)
    return Student(LanguageLayers(1), reading_unet())


def write_start(folder: Path) -> Path:
    """An exported model's autoencoder and scheduler, from which training starts."""
    build_autoencoder(basis()).save_pretrained(folder / "vae")
    build_scheduler().save_pretrained(folder / "scheduler")
    return folder
