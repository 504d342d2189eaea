"""The exported folder: what the engine loads, and what ships."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loop.engine import Engine
from generation.starter.layout import MODEL
from generation.starter.networks.autoencoder import PatchEncoder, to_unit
from generation.starter.resumable_training import Course
from generation.starter.training.export import LARGEST_BYTES, write, write_language
from generation.starter.training.lesson_states import KeptStates, Read
from generation.starter.training.sampling import SingleLessons
from generation.starter.training.teach import (
    Lessons,
    PictureChoice,
    Student,
    from_exported,
    lesson_loss,
)
from generation.starter.training.train_adapter import add_adapter, save_adapter, train_adapter
from tests.starter import tiny_lesson


@dataclass(frozen=True)
class Exported:
    """A model folder, and the folder `language` that lies beside it."""

    model: Path
    language: Path

    def student(self) -> Student:
        return from_exported(self.model, self.language)


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory, kept: Path) -> Exported:
    """A model trained for some seconds, exported like the one that ships."""
    folder = tmp_path_factory.mktemp("starter")
    student = tiny_lesson.student()
    start = tiny_lesson.write_start(folder / "start")
    lessons = Lessons(tiny_lesson.curriculum(), KeptStates(kept), PatchEncoder(start))
    choice = PictureChoice(student, tiny_lesson.curriculum(), KeptStates(kept))
    weights = dict(student.named_parameters())
    course = Course(weights, tiny_lesson.plan(10), folder / "taught.pt")
    learned = course.learn(lambda rng: lesson_loss(student, choice, lessons.draw(4, 0, rng)))
    student.load_state_dict(learned)
    made = Exported(folder / "model", folder / "language")
    write_language(student, KeptStates(kept).spread, {"🔴": "red"}, made.language)
    write(student, start, made.model, made.language)
    return made


def draw_single(kept: Path) -> Callable[[int, random.Random], tuple[Tensor, Read]]:
    """Batches of the tiny curriculum, as an adapter is taught."""
    lessons, states = SingleLessons(tiny_lesson.curriculum()), KeptStates(kept)
    latents = tiny_lesson.basis().encode(to_unit(tiny_lesson.on_white()))

    def batch(size: int, rng: random.Random) -> tuple[Tensor, Read]:
        drawn = lessons.draw(size, rng)
        return latents[[each.first for each in drawn]], states.read([*(x.text for x in drawn), ""])

    return batch


def draw(
    engine: Engine, prompt: str, *, seed: int = 1, adapters: tuple[AdapterUse, ...] = ()
) -> NDArray[np.uint8]:
    job = RenderJob(prompt, "", 3, 2.0, seed, 512, 512, 128, adapters)
    return engine.render(job, on_step=lambda step: None, should_stop=lambda: False).pixels


def test_an_exported_model_renders_the_same_picture_for_the_same_seed(exported: Exported) -> None:
    first, second = Engine.load(exported.model), Engine.load(exported.model)
    picture = draw(first, "red disc")
    assert picture.shape == (512, 512, 3)
    assert np.array_equal(picture, draw(second, "red disc"))
    assert not np.array_equal(picture, draw(first, "red disc", seed=2))


def test_an_emoji_draws_what_it_is_called_and_capitals_and_stops_change_nothing(
    exported: Exported,
) -> None:
    engine = Engine.load(exported.model)
    named = draw(engine, "a red disc")
    assert np.array_equal(draw(engine, "a 🔴 disc"), named)
    assert np.array_equal(draw(engine, "a 🔴\ufe0f disc"), named)


def test_capitals_blanks_and_the_end_of_a_sentence_change_nothing(exported: Exported) -> None:
    engine = Engine.load(exported.model)
    named = draw(engine, "a red disc")
    for same in ("A Red Disc", "  a   red disc ", "a red disc.", "¿a red disc?", "a red disc,"):
        assert np.array_equal(draw(engine, same), named), same
    assert not np.array_equal(draw(engine, "a red disc 2.5"), draw(engine, "a red disc 25"))


def test_an_export_replaces_the_networks_before(exported: Exported, tmp_path: Path) -> None:
    (tmp_path / "model" / "unet").mkdir(parents=True)
    (tmp_path / "model" / "unet" / "stale.safetensors").touch()
    start = tiny_lesson.write_start(tmp_path / "start")
    write(tiny_lesson.student(), start, tmp_path / "model", exported.language)
    names = {path.relative_to(tmp_path / "model") for path in (tmp_path / "model").rglob("*")}
    assert names == {path.relative_to(exported.model) for path in exported.model.rglob("*")}
    config = json.loads((tmp_path / "model" / "unet" / "config.json").read_text())
    assert not config.get("_name_or_path")


def test_a_trained_adapter_loads_and_changes_the_picture(
    exported: Exported, kept: Path, tmp_path: Path
) -> None:
    student = exported.student()
    frozen = student.unet.conv_in.weight.clone()
    plan = tiny_lesson.plan(4, learning_rate=1e-2)
    average = train_adapter(
        student, draw_single(kept), add_adapter(student, 4), plan, tmp_path / "adapter.pt"
    )
    file = tmp_path / "style.safetensors"
    save_adapter(student, average, file)
    assert torch.equal(student.unet.conv_in.weight, frozen)
    engine = Engine.load(exported.model)
    bare = draw(engine, "red disc")
    styled = draw(engine, "red disc", adapters=(AdapterUse("style", file, 1.0),))
    without = draw(engine, "red disc", adapters=(AdapterUse("style", file, 0.0),))
    assert not np.array_equal(bare, styled)
    assert np.array_equal(bare, without)


def test_an_adapter_goes_on_from_its_file(exported: Exported, kept: Path, tmp_path: Path) -> None:
    student = exported.student()
    average = train_adapter(
        student,
        draw_single(kept),
        add_adapter(student, 4),
        tiny_lesson.plan(4, learning_rate=1e-2),
        tmp_path / "adapter.pt",
    )
    save_adapter(student, average, tmp_path / "style.safetensors")
    again = exported.student()
    for name, weight in add_adapter(again, 4, tmp_path / "style.safetensors").items():
        assert torch.allclose(weight, average[name], atol=1e-3), name


def test_what_ships_is_small_and_holds_no_pickle() -> None:
    files = [path for path in MODEL.parent.rglob("*") if path.is_file()]
    weights = [path for path in files if path.suffix not in {".py", ".pyc", ".md"}]
    assert {path.suffix for path in weights} == {".json", ".safetensors"}
    written = [MODEL / part for part in ("text_encoder", "tokenizer")]  # at installation
    shipped = [path for path in weights if path.parent not in written]
    assert sum(path.stat().st_size for path in shipped) <= LARGEST_BYTES
    said = [path.read_text("utf-8") for path in shipped if path.suffix == ".json"]
    assert not any('": "/' in text for text in said), "a path of the machine it was trained on"


def test_the_shipped_model_renders_with_its_own_defaults() -> None:
    said = json.loads((MODEL / "proofsheet.json").read_text())
    steps, guidance, native = said["few_steps"], said["default_guidance"], said["native_size"]
    [(width, height)] = said["sizes"]
    job = RenderJob("a red apple", "", steps, guidance, 1, width, height, native)
    made = Engine.load(MODEL).render(job, on_step=lambda s: None, should_stop=lambda: False)
    assert made.pixels.shape == (512, 512, 3)
    assert made.pixels.std() > 10


def test_whatever_is_typed_draws_a_picture() -> None:
    engine = Engine.load(MODEL)
    typed = (
        "", "გამარჯობა სამყარო", "犬", "asdf qwer zxcv", "a dog " * 100, "Ada Lovelace",
        "\N{DOG FACE}", "🏴‍☠️🫪🩷", "¿?!…", "<|endoftext|> </s> <pad>", "(((a dog:1.3)))",
    )  # fmt: skip
    made = {text: draw(engine, text) for text in typed}
    assert all(picture.std() > 5 for picture in made.values())
    assert np.array_equal(made["\N{DOG FACE}"], draw(engine, "dog"))
