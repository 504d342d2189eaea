"""The exported folder: what the engine loads, and what ships."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from generation.engine.jobs import AdapterUse, RenderJob
from generation.engine.loop.engine import Engine
from generation.starter.layout import ADAPTERS, MODEL
from generation.starter.networks.autoencoder import build_autoencoder
from generation.starter.training.export import LARGEST_BYTES, assemble, share_spare_embedding, write
from generation.starter.training.train import load_student, train
from generation.starter.training.train_adapter import add_adapter, save_adapter, train_adapter
from tests.starter import tiny_lesson


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model trained for some seconds, exported like the one that ships."""
    folder = tmp_path_factory.mktemp("starter")
    lesson = tiny_lesson.lesson(folder / "tokenizer")
    student = tiny_lesson.student(lesson.tokenizer)
    train(student, lesson, tiny_lesson.plan(10), folder / "base.pt")
    share_spare_embedding(student, lesson.spare)
    autoencoder = build_autoencoder(tiny_lesson.basis())
    write(assemble(student, autoencoder, lesson.tokenizer), folder / "model")
    return folder / "model"


def draw(
    engine: Engine, prompt: str, *, seed: int = 1, adapters: tuple[AdapterUse, ...] = ()
) -> NDArray[np.uint8]:
    job = RenderJob(prompt, "", 3, 2.0, seed, 512, 512, 128, adapters)
    return engine.render(job, on_step=lambda step: None, should_stop=lambda: False).pixels


def test_an_exported_model_renders_the_same_picture_for_the_same_seed(exported: Path) -> None:
    first, second = Engine.load(exported), Engine.load(exported)
    picture = draw(first, "red disc")
    assert picture.shape == (512, 512, 3)
    assert np.array_equal(picture, draw(second, "red disc"))
    assert not np.array_equal(picture, draw(first, "red disc", seed=2))


def test_unknown_words_are_all_read_alike(exported: Path) -> None:
    engine = Engine.load(exported)
    assert np.array_equal(draw(engine, "red q"), draw(engine, "red z"))


def test_an_export_replaces_the_folder_before(exported: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "stale.safetensors").touch()
    lesson = tiny_lesson.lesson(tmp_path / "tokenizer")
    student = tiny_lesson.student(lesson.tokenizer)
    autoencoder = build_autoencoder(tiny_lesson.basis())
    write(assemble(student, autoencoder, lesson.tokenizer), tmp_path / "model")
    names = {path.relative_to(tmp_path / "model") for path in (tmp_path / "model").rglob("*")}
    assert names == {path.relative_to(exported) for path in exported.rglob("*")}


def test_a_trained_adapter_loads_and_changes_the_picture(exported: Path, tmp_path: Path) -> None:
    lesson = tiny_lesson.lesson(tmp_path / "tokenizer")
    student, _ = load_student(exported)
    frozen = student.unet.conv_in.weight.clone()
    plan = tiny_lesson.plan(4, learning_rate=1e-2)
    average = train_adapter(student, lesson, add_adapter(student, 4), plan, tmp_path / "adapter.pt")
    file = tmp_path / "style.safetensors"
    save_adapter(student, average, file)
    assert torch.equal(student.unet.conv_in.weight, frozen)
    engine = Engine.load(exported)
    bare = draw(engine, "red disc")
    styled = draw(engine, "red disc", adapters=(AdapterUse("style", file, 1.0),))
    without = draw(engine, "red disc", adapters=(AdapterUse("style", file, 0.0),))
    assert not np.array_equal(bare, styled)
    assert np.array_equal(bare, without)


def test_an_adapter_goes_on_from_its_file(exported: Path, tmp_path: Path) -> None:
    lesson = tiny_lesson.lesson(tmp_path / "tokenizer")
    student, _ = load_student(exported)
    average = train_adapter(
        student,
        lesson,
        add_adapter(student, 4),
        tiny_lesson.plan(4, learning_rate=1e-2),
        tmp_path / "adapter.pt",
    )
    save_adapter(student, average, tmp_path / "style.safetensors")
    again, _ = load_student(exported)
    for name, weight in add_adapter(again, 4, tmp_path / "style.safetensors").items():
        assert torch.allclose(weight, average[name], atol=1e-3), name


def test_what_ships_is_small_and_holds_no_pickle() -> None:
    files = [path for folder in (MODEL, ADAPTERS) for path in folder.rglob("*") if path.is_file()]
    assert {path.suffix for path in files} == {".json", ".safetensors"}
    assert sum(path.stat().st_size for path in files) <= LARGEST_BYTES


def test_the_shipped_model_renders_with_its_own_defaults() -> None:
    said = json.loads((MODEL / "proofsheet.json").read_text())
    steps, guidance, native = said["few_steps"], said["default_guidance"], said["native_size"]
    [(width, height)] = said["sizes"]
    job = RenderJob("a red apple", "", steps, guidance, 1, width, height, native)
    made = Engine.load(MODEL).render(job, on_step=lambda s: None, should_stop=lambda: False)
    assert made.pixels.shape == (512, 512, 3)
    assert made.pixels.std() > 10
